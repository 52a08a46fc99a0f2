"""The command line's entry; ``python -m sweep`` is the same as ``sweep``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; imported late, because worker processes import this module, too."""
    from sweep.cli.app import run

    sys.exit(run())


if __name__ == "__main__":
    main()
