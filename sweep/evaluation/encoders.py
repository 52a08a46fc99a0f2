"""Training the encoders that classifiers stand on."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from sweep.data.partition import partition
from sweep.errors import DivergedError
from sweep.evaluation.devices import on_device
from sweep.evaluation.workbench import Workbench
from sweep.machine import environment
from sweep.representations import Extractor, TrainedRepresentation, bind
from sweep.representations.pictures import draw_pictures
from sweep.results import EncoderRecord, Environment
from sweep.specs import EncoderSpec, TrialSpec
from sweep.values import OnProgress

log = logging.getLogger("sweep")


def make_encoder(spec: EncoderSpec, bench: Workbench, on_progress: OnProgress) -> EncoderRecord:
    """What is known of the trained encoder of a spec, which the store then has.

    Raises:
        DivergedError: the training left the finite numbers.
    """
    representation = bind(spec.representation)
    assert isinstance(representation, TrainedRepresentation)
    dataset = bench.checked_dataset(spec.data)
    part = partition(dataset.labels, spec.partition, spec.seed, spec.draw)["encoder"]

    def train(out: Path) -> EncoderRecord:
        log.info("training %s (encoder %s)", spec.label, spec.key)
        checkpoint = bench.store.checkpoint(spec.key)
        try:
            history = representation.train(spec, dataset.images, part, out, checkpoint, on_progress)
        except DivergedError:
            checkpoint.remove()  # nobody is to go on from there
            raise
        draw_pictures(representation.encoder(out), spec, dataset, part, out)
        seconds, finished = checkpoint.seconds, time.time()
        return EncoderRecord(
            spec=spec,
            history=history,
            parameters=representation.parameters,
            train_seconds=seconds,
            started_at=int(1000 * (finished - seconds)),
            finished_at=int(1000 * finished),
            environment=Environment.model_validate(environment(), strict=False),
            updates=representation.updates(len(part)),
        )

    record = bench.store.encoders.get_or_make(spec, train)
    bench.store.checkpoint(spec.key).remove()
    return record


def extractor(trial: TrialSpec, draw: int, bench: Workbench, on_progress: OnProgress) -> Extractor:
    """What turns images into the features of one draw's classifiers.

    An encoder that it stands on is trained if it is not there.

    Raises:
        DivergedError: the training left the finite numbers.
    """
    representation = bind(trial.representation)
    if not isinstance(representation, TrainedRepresentation):
        return representation
    spec = trial.encoder(draw)
    with on_device(spec.device):
        make_encoder(spec, bench, on_progress)
    return representation.encoder(bench.store.encoders.path(spec.key))
