"""What a study's pieces of work are called: with what the study varies of them.

Their specs know nothing of a study, and call two encoders of one latent dimension by one name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sweep.config import StudyConfig
from sweep.configuration import RepresentationSpec
from sweep.representations import setting
from sweep.specs import CLASSIFIER, EncoderSpec, Spec, TrialSpec, variation

Setting = bool | int | float | str | None


class Labels:
    """Names in one study."""

    def __init__(self, config: StudyConfig) -> None:
        """Names for what a config asks for."""
        self._varied: dict[str, list[str]] = {}
        """By representation, what is searched beside its latent dimension and hidden neurons."""
        for name, block in config.blocks.items():
            names = block.space.dimensions if block.space is not None and block.trials else ()
            kept = [each for each in names if each not in ("latent_dim", "hidden_neurons")]
            self._varied[name] = kept

    def __call__(self, spec: Spec) -> str:
        """As in ``encoder vae 10, beta 0.5, draw 1``."""
        if isinstance(spec, EncoderSpec):
            return spec.called(_shown(self.settings(spec.representation)))
        return spec.called(
            _shown({**self.settings(spec.trial.representation), **self._of(spec.trial)})
        )

    def settings(self, spec: RepresentationSpec) -> dict[str, Setting]:
        """What is varied of a representation's settings, by name."""
        names = self._varied.get(spec.name, ())
        return {name: setting(spec, name) for name in names if not name.startswith(CLASSIFIER)}

    @property
    def params(self) -> dict[str, list[str]]:
        """What is varied as runs in MLflow call it, by representation."""
        return {
            representation: [
                name.removeprefix(CLASSIFIER)
                if name.startswith(CLASSIFIER)
                else f"{representation}.{name}"
                for name in names
            ]
            for representation, names in self._varied.items()
        }

    def python(self, spec: EncoderSpec) -> str:
        """The call that gives an encoder of a study that was loaded.

        Draws count from 1 where people read, and from 0 in Python: who copies this is safe.
        """
        of = spec.representation
        arguments = {"draw": spec.draw, "representation": of.name, **self.settings(of)}
        shown = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        return f"encoder({of.latent_dim}, {shown})"

    def _of(self, trial: TrialSpec) -> dict[str, Setting]:
        """What is varied of the training of a trial's classifiers."""
        names = self._varied.get(trial.representation.name, ())
        return {
            name: getattr(trial.classifier, name.removeprefix(CLASSIFIER))
            for name in names
            if name.startswith(CLASSIFIER)
        }


def told_apart(specs: Sequence[RepresentationSpec]) -> list[str]:
    """What representations are called beside each other: with the settings in which they differ
    from others of their name, as in ``vae 10, beta 0.5``.
    """
    differing: dict[str, list[str]] = {}
    for kind in {spec.name for spec in specs}:
        alike = [spec for spec in specs if spec.name == kind]
        names = dict.fromkeys(name for spec in alike for name in spec.settings)
        differing[kind] = [
            name for name in names if len({setting(spec, name) for spec in alike}) > 1
        ]
    return [
        spec.label + _shown({name: setting(spec, name) for name in differing[spec.name]})
        for spec in specs
    ]


def _shown(settings: Mapping[str, Setting]) -> str:
    known: Iterable[tuple[str, float | str]] = (
        (name, value) for name, value in settings.items() if value is not None
    )
    return variation(known)
