"""How many slots a cluster has room for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.execution.ray import Demands
from sweep.execution.ray.placement import changes, room

Node = dict[str, float]
PLAIN, GPU = {"CPU": 8.0, "memory": 1e9}, {"CPU": 8.0, "GPU": 2.0}
HEAD: Node = {"memory": 1e9}  # started with --num-cpus=0


@pytest.mark.parametrize(
    ("nodes", "demands", "most", "slots"),
    [
        ([PLAIN, PLAIN], Demands(), None, (16,)),
        ([HEAD, PLAIN], Demands(cpus_per_task=3), None, (2,)),
        ([PLAIN], Demands(cpus_per_task=0.1), None, (80,)),
        ([PLAIN, PLAIN], Demands(), 3, (3,)),
        ([HEAD], Demands(), None, (0,)),
        ([], Demands(), 4, (0,)),
        ([PLAIN, PLAIN | {"fast": 1.0}], Demands(resources={"fast": 0.5}), None, (2,)),
        # With GPUs for encoders alone, what is left of their nodes is for draws.
        ([PLAIN, GPU], Demands(gpus_per_encoder=1), None, (2, 14)),
        ([PLAIN, GPU], Demands(gpus_per_encoder=1), 5, (2, 3)),
        ([PLAIN, GPU], Demands(gpus_per_draw=0.25), None, (8, 8)),
        ([{"CPU": 1.0, "GPU": 1.0}], Demands(gpus_per_encoder=1), None, (1, 0)),
        # A single one has the GPU, and is for all.
        ([PLAIN, GPU], Demands(gpus_per_encoder=1), 1, (1, 0)),
        ([PLAIN], Demands(gpus_per_draw=1), 1, (0, 1)),
        # Where both need one, every slot is for both.
        ([GPU], Demands(gpus_per_encoder=1, gpus_per_draw=0.5), None, (2,)),
        ([GPU, GPU], Demands(gpus_per_encoder=1, gpus_per_draw=1), 3, (3,)),
    ],
)
def test_room(
    nodes: list[Node], demands: Demands, most: int | None, slots: tuple[int, ...]
) -> None:
    """Each node is filled by whole slots; no slot is spread over two."""
    assert room(nodes, demands, most) == slots


@given(*3 * [st.integers(0, 50)])
def test_slots_are_asked_for_or_given_up_and_never_both(
    wanted: int, ready: int, waiting: int
) -> None:
    """Those that still start stay as long as there is room; those that are ready always do."""
    there = ready + waiting
    more, less = changes(wanted, there, waiting)
    assert 0 <= less <= waiting
    assert not (more and less)
    assert there + more - less == max(wanted, ready)


def test_a_task_is_for_slots_with_the_gpus_that_it_needs() -> None:
    """It may have more of them, and not fewer."""
    demands = Demands(gpus_per_encoder=1)
    suits = [
        [demands.suits(kind, encoder=each) for each in (True, False)] for kind in demands.kinds
    ]
    assert suits == [[True, True], [False, True]]
