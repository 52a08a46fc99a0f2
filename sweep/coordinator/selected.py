"""Which of a study's attempts are selected, as it stands: by what the search saw alone."""

from __future__ import annotations

from collections.abc import Sequence

from sweep.reports.comparison import selected
from sweep.reports.rows import Measured
from sweep.search.attempt import Attempt


def selected_attempts(attempts: Sequence[Attempt]) -> list[Attempt]:
    """Those on a front of their number of labels, in their order; see :func:`selected`.

    What was selected once may be so no longer, where trials have ended since.
    """
    complete = [(attempt, attempt.result) for attempt in attempts if attempt.result]
    chosen = selected([Measured(attempt.spec, result) for attempt, result in complete])
    return [attempt for (attempt, _), is_on in zip(complete, chosen, strict=True) if is_on]
