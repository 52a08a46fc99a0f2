"""Tables that fit a terminal of 80 columns, and break no word."""

from __future__ import annotations

from typing import Literal

from rich import box
from rich.table import Table

_OF_TEXT = ("study", "configuration", "trials of", "state", "best", "encoder", "needed by", "what")


def make_table(*columns: str, closely: bool = False) -> Table:
    """An empty table: columns of text are folded between words, those of numbers not at all.

    Args:
        columns: their headings.
        closely: two spaces between them instead of three, where there are many.
    """
    padding = (0, 1, 0, 0 if closely else 1)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=padding)
    for name in columns:
        is_text = name in _OF_TEXT
        justify: Literal["left", "right"] = "left" if is_text else "right"
        table.add_column(name, justify=justify, no_wrap=not is_text, overflow="fold")
    return table
