"""How long things take: a rough guess before, and a better one while running."""

from __future__ import annotations

from collections import defaultdict

from sweep import classifier
from sweep.representations import TrainedRepresentation, bind
from sweep.specs import EncoderSpec, Spec, TrialSpec

# One core of a machine with AVX-512, measured with both kinds of training; the overhead is what
# building and compiling take. Half or twice as fast is usual.
_FLOPS = 1.2e11
_OVERHEAD_SECONDS = 1.5


def trial_seconds(spec: TrialSpec, labels: int) -> float:
    """Rough seconds that a trial's classifiers take, on ``labels`` images."""
    inputs = bind(spec.representation).dimensions
    weights = classifier.parameters(inputs, spec.hidden_neurons)
    work = 6 * weights * labels * spec.classifier.epochs * spec.members
    return spec.draws * (_OVERHEAD_SECONDS + work / _FLOPS)


def encoder_seconds(spec: EncoderSpec, images: int) -> float:
    """Rough seconds that an encoder takes, on ``images`` images."""
    representation = bind(spec.representation)
    assert isinstance(representation, TrainedRepresentation)
    return _OVERHEAD_SECONDS + 6 * representation.training_multiply_adds(images) / _FLOPS


def task_kind(spec: Spec) -> str:
    """What takes about as long as others of its kind: a draw's is its representation's name."""
    if isinstance(spec, EncoderSpec):
        return f"{spec.representation.name} encoder"
    name = spec.trial.representation.name
    return name if spec.kind == "draw" else f"{name} {spec.kind}"


class Pace:
    """How long tasks of each kind have taken so far."""

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = defaultdict(list)

    def note(self, kind: str, seconds: float) -> None:
        """Take note of a finished task."""
        self._seconds[kind].append(seconds)

    def mean(self, kind: str) -> float | None:
        """Mean seconds of a kind of task; None while nothing is known."""
        seconds = self._seconds.get(kind)
        return sum(seconds) / len(seconds) if seconds else None
