"""What must be made before a spec."""

from __future__ import annotations

from sweep.representations import REPRESENTATIONS
from sweep.specs import DrawSpec, EncoderSpec, ModelSpec, Spec


def needs(spec: Spec) -> tuple[Spec, ...]:
    """The encoders that a spec's classifiers stand on; none where nothing is trained."""
    if isinstance(spec, EncoderSpec):
        return ()
    if not REPRESENTATIONS[spec.trial.representation.name].is_trained:
        return ()
    draws = (spec.draw,) if isinstance(spec, DrawSpec | ModelSpec) else range(spec.trial.draws)
    return tuple(spec.trial.encoder(draw) for draw in draws)
