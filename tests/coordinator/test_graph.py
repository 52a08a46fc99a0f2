"""The graph of what is wanted: laws, whatever the order of what comes of tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from sweep.configuration import RepresentationSpec
from sweep.coordinator.graph import Graph
from sweep.specs import DrawSpec, Spec, TrialSpec
from tests.builders import trial_spec


def trial(latent_dim: int, hidden_neurons: int, draws: int) -> TrialSpec:
    """On latents, or on pixels where there are no dimensions."""
    name = "vae" if latent_dim else "pixels"
    representation = RepresentationSpec(name=name, latent_dim=latent_dim or None)
    return trial_spec(
        representation=representation, hidden_neurons=hidden_neurons, draws=draws, members=1
    )


trials = st.lists(
    st.builds(trial, st.integers(0, 3), st.integers(1, 5), st.integers(1, 3)), max_size=8
)


def wanted(asked: Sequence[TrialSpec]) -> dict[str, DrawSpec]:
    return {draw.key: draw for each in asked for draw in each.outer_draws}


@given(trials, st.randoms(use_true_random=False), st.sets(st.integers(0, 3)))
def test_everything_wanted_ends_and_nothing_begins_before_what_it_needs(
    asked: list[TrialSpec], order: Random, there: set[int]
) -> None:
    """In any order of ends, failures and new tries; and nothing runs twice at once or once done."""

    def is_made(spec: Spec) -> bool:
        return spec.key in made_before

    draws = wanted(asked)
    encoders = {need.key for draw in draws.values() for need in draw.needs}
    made_before = {key for place, key in enumerate(sorted(encoders)) if place in there}
    graph = Graph(is_made)
    for draw in draws.values():
        assert graph.want(draw) is None
    made, failed, running = set(made_before), set[str](), dict[str, Spec]()
    begun: Counter[str] = Counter()
    ended = set[str]()
    while len(graph):
        while (spec := graph.begin()) is not None:
            assert all(need.key in made for need in spec.needs)
            assert spec.key not in running
            assert spec.key not in made | failed
            running[spec.key] = spec
        assert running, "something is left, and nothing can begin"
        key = order.choice(sorted(running))
        spec = running.pop(key)
        match order.choice(["done", "done", "again", "fail"]):
            case "done":
                graph.done(key)
                made.add(key)
                begun[key] += 1
                ended.add(key)
            case "again":
                graph.again(key)
            case "fail":
                lost = {each.key for each in graph.fail(key)}
                failed |= {key, *lost}
                ended |= lost
                broken = [key] if key in draws else []
                broken += [n for n, d in draws.items() if key in {e.key for e in d.needs}]
                assert lost == set(broken) - (ended - lost)
    assert set(draws) <= ended
    assert max(begun.values(), default=1) == 1


@given(trials)
def test_what_is_wanted_first_begins_first(asked: list[TrialSpec]) -> None:
    """And what it needs comes just before it: the first draw ends as soon as can be."""
    graph = Graph(lambda _: False)
    draws = wanted(asked)
    for draw in draws.values():
        graph.want(draw)
    done = []
    while (spec := graph.begin()) is not None:
        graph.done(spec.key)
        done.append(spec)
    assert [spec.key for spec in done if spec.key in draws] == list(draws)
    if done and next(iter(draws.values())).needs:
        assert done[0] == next(iter(draws.values())).needs[0]


def test_what_is_wanted_no_more_is_dropped_with_what_it_alone_needs() -> None:
    """Two trials share an encoder: it stays as long as one of them is wanted."""
    one, other = (trial(2, hidden, draws=1).outer_draws[0] for hidden in (1, 2))
    graph = Graph(lambda _: False)
    graph.want(one)
    graph.want(other)
    assert len(graph) == 3
    graph.unwant(one.key)
    assert len(graph) == 2
    graph.unwant(other.key)
    assert len(graph) == 0
    assert graph.begin() is None


def test_what_has_failed_is_known_to_who_needs_it_later() -> None:
    """It is not tried for each of them; what failed itself may be wanted once more."""
    one, other = (trial(2, hidden, draws=1).outer_draws[0] for hidden in (1, 2))
    graph = Graph(lambda _: False)
    graph.want(one)
    encoder = graph.begin()
    assert encoder is not None
    assert graph.fail(encoder.key) == [one]
    assert graph.want(other) == encoder.key
    pixels = trial(0, 1, draws=1).outer_draws[0]
    for _ in range(2):
        assert graph.want(pixels) is None
        assert graph.begin() == pixels
        assert graph.fail(pixels.key) == [pixels]


def test_what_was_lost_is_made_again_before_what_needs_it() -> None:
    """Though it was made: what begins again waits for it, and begins once it is there."""
    graph = Graph(lambda _: True)
    (draw,) = trial(2, 1, 1).outer_draws
    graph.want(draw)
    assert graph.begin() == draw
    graph.again(draw.key, draw.needs)
    assert [graph.begin(), graph.begin()] == [draw.needs[0], None]
    graph.done(draw.needs[0].key)
    assert graph.begin() == draw
    graph.done(draw.key)
    assert not len(graph)


def test_what_was_lost_and_cannot_be_made_again_takes_what_needs_it_along() -> None:
    """As if it had never been there."""
    graph = Graph(lambda _: True)
    (draw,) = trial(2, 1, 1).outer_draws
    graph.want(draw)
    graph.begin()
    graph.again(draw.key, draw.needs)
    graph.begin()
    assert graph.fail(draw.needs[0].key) == [draw]
    assert not len(graph)
