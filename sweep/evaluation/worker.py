"""What a worker does: it is given the JSON of a spec, and gives that of what came of it."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

from sweep.data.datasets import DatasetSource
from sweep.errors import OutageError, error_number
from sweep.evaluation.assessments import make_assessment
from sweep.evaluation.devices import on_device, share_gpus
from sweep.evaluation.encoders import make_encoder
from sweep.evaluation.models import make_model
from sweep.evaluation.numerics import settle_numerics
from sweep.evaluation.training import make_draw
from sweep.evaluation.workbench import Workbench
from sweep.home import Home
from sweep.results import Assessment, DrawResult, EncoderRecord, ModelRecord
from sweep.specs import SPEC, AssessmentSpec, EncoderSpec, ModelSpec, Spec
from sweep.values import OnProgress, Value

RESULTS: Mapping[str, type[Value]] = {
    "encoder": EncoderRecord,
    "draw": DrawResult,
    "assessment": Assessment,
    "model": ModelRecord,
}
"""What comes of a spec, by its kind."""


def prepare_worker(
    home: Home, source: DatasetSource | None, threads: int
) -> Callable[[str, OnProgress], str]:
    """Set a new worker process up, and give the function that does its tasks.

    Without a source, the home holds the dataset, and everything else that a task reads.
    A task is the JSON of a spec; the result is that of what ``RESULTS`` has for its kind.
    """
    settle_numerics()
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    share_gpus()
    threadpool_limits(threads)  # numpy's and scikit-learn's
    # All of its threads begin with the first program: where there are none, no task is to blame.
    tf.function(lambda: tf.zeros(1) + tf.ones(1), jit_compile=True)()
    bench = Workbench(home, source)

    def work(payload: str, on_progress: OnProgress) -> str:
        spec = SPEC.validate_json(payload)
        if spec.threads != threads:
            raise ValueError(f"a worker of {threads} threads was given a spec of {spec.threads}")
        with _outages(home), on_device(spec.device):
            return _make(spec, bench, on_progress).model_dump_json()

    return work


def _make(spec: Spec, bench: Workbench, on_progress: OnProgress) -> Value:
    if isinstance(spec, EncoderSpec):
        return make_encoder(spec, bench, on_progress)
    if isinstance(spec, AssessmentSpec):
        return make_assessment(spec, bench, on_progress)
    if isinstance(spec, ModelSpec):
        return make_model(spec, bench, on_progress)
    return make_draw(spec, bench, on_progress)


@contextmanager
def _outages(home: Home) -> Iterator[None]:
    """Tell a home or a system that gives no more from what may be wrong with a task."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        if error_number(error) in (errno.EAGAIN, errno.EMFILE, errno.ENFILE):
            raise OutageError(
                f"a worker may open no more files or threads: {error}",
                hint="ulimit -n and -u say how many; end what takes them",
            ) from error
        # Without a number, as NumPy says of an array that did not fit on the disk.
        is_full = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, None)
        if not isinstance(error, OSError) or error.errno not in is_full:
            raise
        raise OutageError(
            f"the home {home.root} does not take what is written: {error.strerror or error}",
            hint="free some space, or make it writable; sweep store --prune may help",
        ) from error
