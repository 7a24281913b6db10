"""What every removal does: know its own objects, find them, insist, and wait until they are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.engine import EngineFault
from pytest_ovirt_release.checks.ledger import age, object_name
from pytest_ovirt_release.checks.waiting import WaitFailed, wait_until
from pytest_ovirt_release.errors import Unproven

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ovirt_release.checks.engine import Engine
    from pytest_ovirt_release.checks.ledger import Entry
    from pytest_ovirt_release.checks.waiting import Say

GONE = "gone"
UNDER_WAY_SECONDS = 10.0
"""How long something that was asked for may take to appear."""


class Removing:
    """Steps that all kinds of object share; each can be repeated."""

    def __init__(self, engine: Engine, run_id: str, say: Say | None) -> None:
        """Take the engine, the run whose objects these are, and what is told about waits."""
        self._engine = engine
        self._comment = object_name(run_id, "run")
        self._run_id = run_id
        self._say = say

    def _own(self, entry: Entry, name: str, comment: str = "") -> None:
        """Refuse to touch what does not carry this run's id, whatever the ledger says."""
        if self._run_id not in name and comment != self._comment:
            raise Unproven(f"{entry} is called {name!r} now and does not carry this run's id: not touched")

    def _find(self, entry: Entry, find: Callable[[str], str | None]) -> str | None:
        """Return the id of what the ledger has only a name of.

        What was asked for an instant before the run was killed may still be under way, so it is looked for
        until the intent is old enough.
        """

        def probe() -> tuple[str, str | None]:
            found = find(entry.name)
            return (GONE if found is None else "found"), found

        try:
            waited = wait_until(
                probe,
                what=f"{entry} to appear",
                deadline=max(0.0, UNDER_WAY_SECONDS - age(entry.at)),
                wanted=("found",),
                flag=self._engine.flag,
            )
        except WaitFailed:
            return None
        return waited.value

    def _insist(self, what: str, act: Callable[[], None]) -> None:
        """Ask until the engine is not busy with something else any more."""

        def probe() -> tuple[str, None]:
            try:
                act()
            except EngineFault as fault:
                if not fault.passing:
                    raise
                return f"refused ({fault.detail[:120]})", None
            return "done", None

        self._wait(what, probe, "done")

    def _wait(self, what: str, probe: Callable[[], tuple[str, None]], *wanted: str) -> None:
        wait_until(
            probe,
            what=what,
            deadline=self._engine.deadlines.removal,
            wanted=wanted,
            say=self._say,
            events=self._engine.said,
            flag=self._engine.flag,
        )

    def _await_gone(self, entry: Entry, state: Callable[[], str | None]) -> None:
        self._wait(f"{entry} gone", lambda: (state() or GONE, None), GONE)
