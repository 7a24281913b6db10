"""The engine's audit log: evidence for what happened, never what a wait decides by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.engine import facts
from pytest_ovirt_release.checks.engine.facts import Job

if TYPE_CHECKING:
    from pytest_ovirt_release.checks.engine.facts import Event
    from pytest_ovirt_release.checks.engine.group import Call

MOST = 500
"""Events read at once; `from` with `max` keeps the newest, so a busy engine may hide older ones."""


class Events:
    """Reading events."""

    def __init__(self, call: Call) -> None:
        """Take the session's call."""
        self._call = call

    def last(self) -> int:
        """Return the index of the newest event, 0 when there is none."""
        found = self._call("show its newest event", lambda system: system.events_service().list(max=1))
        return max((facts.event(e).index for e in found), default=0)

    def since(self, index: int) -> tuple[Event, ...]:
        """Return the events after an index, oldest first."""
        found = self._call(
            "list its events", lambda system: system.events_service().list(from_=index, max=MOST)
        )
        return tuple(sorted((facts.event(e) for e in found), key=lambda e: e.index))

    def newest(self) -> tuple[Event, ...]:
        """Return the newest events, oldest first."""
        return self.since(0)

    def jobs(self, correlation: str) -> tuple[Job, ...]:
        """Return the jobs of one request, by its correlation id."""
        found = self._call(
            f"list the jobs of {correlation}",
            lambda system: system.jobs_service().list(search=f"correlation_id={correlation}"),
        )
        return tuple(
            Job(j.id, j.description or "", facts.word(j.status), j.start_time, j.end_time) for j in found
        )
