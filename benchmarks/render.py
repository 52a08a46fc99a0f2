"""The benchmarks' results as one Markdown page.

    uv run python -m benchmarks.render

Writes ``results/benchmarks/README.md`` from the JSON files beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.measuring import RESULTS

HEAD = """# Benchmark results

Written by `uv run python -m benchmarks.render` from the JSON files here;
[benchmarks/](../../benchmarks)
says how each is measured. Medians and ratios of alternating rounds in one run; times differ between
machines, ratios less so.
"""
_ABOUT = ("benchmark", "date", "machine")


def rows(figures: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Every figure with its path."""
    for name, value in figures.items():
        if isinstance(value, Mapping):
            yield from rows(value, (*path, name))
        else:
            between = " to " if "interval" in name else ", "
            shown = between.join(map(str, value)) if isinstance(value, list) else str(value)
            yield ": ".join((*path, name)), shown


def section(result: Mapping[str, Any]) -> str:
    """One benchmark's table."""
    machine = dict(result["machine"])
    units = ", ".join(machine.pop("bf16 units")) or "no bf16 units"
    facts = ", ".join([machine.pop("cpu"), f"{machine.pop('cores')} cores", units])
    versions = ", ".join(f"{name} {version}" for name, version in machine.items())
    figures = {name: value for name, value in result.items() if name not in _ABOUT}
    table = "\n".join(f"| {name} | {value} |" for name, value in rows(figures))
    return (
        f"## {result['benchmark']}\n\n{result['date']}; {facts}; {versions}\n\n"
        f"| figure | value |\n|---|---:|\n{table}\n"
    )


def main() -> None:
    results = [json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))]
    page = "\n".join([HEAD, *map(section, results)])
    (RESULTS / "README.md").write_text(page)
    print(page)


if __name__ == "__main__":
    main()
