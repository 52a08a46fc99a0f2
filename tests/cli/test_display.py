"""The live display: what it says of workers, on a terminal of 80 columns and elsewhere."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from sweep.cli.display import Display, describe, rough_duration
from sweep.cli.options import tell
from sweep.coordinator.events import Activity
from sweep.coordinator.trials import Snapshot
from sweep.search.history import Progress
from sweep.specs import EncoderSpec
from tests.builders import trial_spec

ENCODER: EncoderSpec = trial_spec().encoder(0)
DRAW = trial_spec(label_budget=1000).outer_draws[0]
NEWS = "trial 12: vae 10 → 200: accuracy 97.12 %, 4,210 parameters, 12.3 s, and so on [of draw 3]"


class Terminal(io.StringIO):
    """What is written to a terminal."""

    def isatty(self) -> bool:
        return True


def snapshot(**fields: Any) -> Snapshot:
    defaults: dict[str, Any] = {
        "progress": Progress(target=2000, complete=1234, failed=12, running=2, waiting=700),
        "running": {
            "worker 1": Activity(ENCODER, ENCODER.label, 6.2 / 35, 60.0, 14_000.0),
            "worker 2": Activity(DRAW, DRAW.label, 0.5, 3.0, 3.0),
        },
        "best": None,
        "seconds_left": 7800.0,
        "news": [NEWS],
    }
    return Snapshot(**(defaults | fields))


@pytest.mark.parametrize(
    ("fraction", "left", "says"),
    [
        (0.0, None, "encoder vae 10, draw 1: epoch 1 of 35"),
        (6 / 35, 230.0, "encoder vae 10, draw 1: epoch 7 of 35, 4 min left"),
        (1.0, 0.0, "encoder vae 10, draw 1: epoch 35 of 35, 0 s left"),
    ],
)
def test_an_encoder_s_epoch_is_said(fraction: float, left: float | None, says: str) -> None:
    """Which of how many, and how long it takes once that can be told."""
    assert describe(Activity(ENCODER, ENCODER.label, fraction, 10.0, left)) == says


def test_what_has_no_epochs_has_its_name() -> None:
    """A draw, and an encoder that is not trained in epochs."""
    assert describe(Activity(DRAW, DRAW.label, 0.5, 10.0, 5.0)) == DRAW.label
    pca = ENCODER.model_copy(
        update={"representation": ENCODER.representation.model_copy(update={"settings": {}})}
    )
    assert describe(Activity(pca, pca.label, 0.5, 10.0, 5.0)) == ENCODER.label


@pytest.mark.parametrize(
    ("seconds", "says"),
    [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min"), (230, "4 min"), (3599, "1 h 0 min")],
)
def test_rough_durations(seconds: float, says: str) -> None:
    """Minutes are enough of what lasts minutes."""
    assert rough_duration(seconds) == says


def test_eighty_columns_break_no_word() -> None:
    """Neither what goes on nor the news, whatever the study's name; every word is there whole."""
    study = "a-study-with-a-name-that-is-quite-as-long-as-names-may-be-in-here"
    console = Console(file=Terminal(), force_terminal=True, width=80, height=40)
    display = Display(console, study, quiet=False)
    rendered = Console(file=io.StringIO(), width=80, color_system=None)
    rendered.print(display._render(snapshot()))
    rendered.print(display._render(snapshot(seconds_left=None, running={})))
    assert isinstance(rendered.file, io.StringIO)
    shown = rendered.file.getvalue()
    assert max(map(len, shown.splitlines())) <= 80
    words = shown.split()
    for text in (
        study,
        "1234/2000 trials · 12 failed",
        describe(snapshot().running["worker 1"]),
        DRAW.label,
    ):
        assert set(text.split()) <= set(words), text
    with display:
        display.show(snapshot())
    assert isinstance(console.file, io.StringIO)
    printed = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", console.file.getvalue())
    assert set(NEWS.split()) <= set(printed.split())
    assert "1234/2000" in printed


def test_elsewhere_news_are_plain_lines() -> None:
    """One line each, however long, with how far the study is; nothing at all if it is quiet."""
    for quiet, said in ((False, f"[1234/2000] {NEWS}\n"), (True, "")):
        file = io.StringIO()
        with Display(Console(file=file, width=80), "tiny", quiet) as display:
            display.show(snapshot())
        assert file.getvalue() == said


def test_colours_make_no_terminal_of_a_file() -> None:
    """With FORCE_COLOR, rich takes a file for a terminal: it gets lines, and nothing that moves."""
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=80, color_system=None, highlight=False)
    with Display(console, "tiny", quiet=False) as display:
        display.show(snapshot())
    assert file.getvalue().splitlines() == [f"[1234/2000] {NEWS}"]


@given(
    st.lists(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)),
    st.integers(20, 80),
)
def test_messages_are_folded_between_words(words: list[str], width: int) -> None:
    """On a terminal no word is broken, and no line too long that could be shorter."""
    text = " ".join(words)
    terminal, file = Terminal(), io.StringIO()
    tell(Console(file=terminal, width=width, color_system=None, markup=False), text)
    tell(Console(file=file, width=width, markup=False), text)
    assert file.getvalue() == f"{text}\n"
    lines = terminal.getvalue().splitlines()
    assert " ".join(lines).split() == words
    assert all(len(line) <= width or " " not in line for line in lines)


def test_a_list_of_problems_keeps_its_lines() -> None:
    """Each begins where it began."""
    terminal = Terminal()
    problems = "error: no:\n  line 1: " + "a word and " * 12 + "\n  line 2: short"
    tell(Console(file=terminal, width=80, color_system=None), problems)
    lines = terminal.getvalue().splitlines()
    assert [line[:9] for line in lines if line.startswith(" ")] == ["  line 1:", "  line 2:"]
    assert max(map(len, lines)) <= 80
