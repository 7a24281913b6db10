"""Every error of ours.

ReleaseError          a mistake a person can mend; the text says what, where, what is allowed, what to do
  DataFileError       one data file, all of its mistakes together
CheckFailed           the requirement does not hold: the cell is *failed* (an AssertionError for pytest)
Unproven              the requirement could not be judged; never counts as a pass and never as a failure
  Blocked             something that the page lists under `needs` did not hold: the cell is *blocked*
  Unreachable         engine, node or site could not be reached: the cell is *errored*
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class ReleaseError(Exception):
    """A mistake that a person can mend; its text is the whole message."""


class DataFileError(ReleaseError):
    """One data file and all of its mistakes."""

    def __init__(self, path: Path, mistakes: Sequence[str]) -> None:
        """Take the file and one sentence for each mistake: key, value, what is allowed."""
        self.path = path
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join([f"{path}: {len(mistakes)} mistake(s)", *(f"  {m}" for m in mistakes)]))


class CheckFailed(AssertionError):  # noqa: N818 - reads as what happened
    """The requirement does not hold; `code` is stable, the text says what was wanted and what was found."""

    def __init__(self, code: str, message: str) -> None:
        """Take a short stable code (`tag-missing`) and one sentence fit for the report."""
        self.code = code
        super().__init__(message)


class Unproven(Exception):  # noqa: N818 - the word of the verdict rules
    """The requirement could not be judged in this run."""


class Blocked(Unproven):
    """What this check needs did not hold, so nothing was learnt about the requirement itself."""

    def __init__(self, on: str, why: str) -> None:
        """Take the id of the needed requirement, as in the page's `needs`, and one sentence."""
        self.on = on
        self.why = why
        super().__init__(f"blocked on {on}: {why}")


class Unreachable(Unproven):
    """Engine, node, database or site did not answer, or the connection was lost."""
