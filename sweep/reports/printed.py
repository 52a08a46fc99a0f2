"""The notebook's printed curves beside ours: stronger evidence than its table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from sweep.reports.published import printed, published_match
from sweep.reports.rows import Measured
from sweep.results import Curves, EncoderRecord
from sweep.values import Value

Quantity = Literal["loss", "train_loss", "train_accuracy", "val_loss", "val_accuracy"]


class PrintedComparison(Value):
    """One printed curve and ours, a value per epoch: losses in nats, accuracies as fractions."""

    configuration: str
    """Such as ``vae 10 → 200``; of an encoder ``vae 10``."""
    quantity: Quantity
    printed: tuple[float, ...]
    ours: tuple[tuple[float, ...], ...]
    """Of an encoder one for each draw; of classifiers a single one, the mean of all replicates."""
    differs: tuple[str, ...]
    """What is not the notebook's in how ours were trained."""


def printed_comparisons(
    measured: Sequence[Measured], is_mnist: bool
) -> tuple[PrintedComparison, ...]:
    """The printed curves of whatever was measured under the notebook's protocol.

    Args:
        measured: a study's completed trials.
        is_mnist: whether its dataset is all of MNIST.
    """
    return tuple(_comparisons(measured, is_mnist))


def _comparisons(measured: Sequence[Measured], is_mnist: bool) -> Iterator[PrintedComparison]:
    curves = printed()
    encoders: dict[str, EncoderRecord] = {}
    differs: tuple[str, ...] = ()
    of_classifiers: list[tuple[Measured, tuple[str, ...], Curves]] = []
    for trial in measured:
        match = published_match(trial.spec, is_mnist)
        if match is None:
            continue
        if match.row.latent_dim == 10:
            differs = tuple(each for each in match.differs if each.startswith("encoder"))
            encoders |= {each.spec.key: each for each in trial.encoders}
        if match.row.name == "vae 10 → 200":
            of_classifiers.append((trial, match.differs, curves.vae_10_to_200))
        if match.row.name == "pixels → 200":
            of_classifiers.append((trial, match.differs, curves.pixels_to_200))
    if encoders:
        by_draw = sorted(encoders.values(), key=lambda each: each.spec.draw)
        yield PrintedComparison(
            configuration="vae 10",
            quantity="loss",
            printed=curves.vae_10_loss_by_epoch,
            ours=tuple(each.history["loss"] for each in by_draw),
            differs=differs,
        )
    for trial, differing, of_printed in of_classifiers:
        quantities: tuple[Quantity, ...] = (
            "train_loss",
            "train_accuracy",
            "val_loss",
            "val_accuracy",
        )
        for quantity in quantities:
            yield PrintedComparison(
                configuration=trial.spec.label,
                quantity=quantity,
                printed=getattr(of_printed, quantity),
                ours=(getattr(trial.result.curves, quantity),),
                differs=differing,
            )
