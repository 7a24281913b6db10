"""The logs of engine and nodes that a failure is looked up in: where they are, and what of them is of its time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_ovirt_release.checks.node import Remote

ENGINE_LOGS = ("/var/log/ovirt-engine/engine.log",)
NODE_LOGS = ("/var/log/vdsm/vdsm.log", "/var/log/vdsm/supervdsm.log")
QEMU_LOGS = "/var/log/libvirt/qemu"
READ_BYTES = 240 * 1024
"""Read of each log, from its end; a connection keeps little more of an output."""
KEPT = 64 * 1024
"""Characters kept of one excerpt, its end."""
SKEW = timedelta(seconds=60)
"""How far clocks may differ before an excerpt would miss what it is for."""
LONGEST_PREFIX = 160

_STAMP = re.compile(
    r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)[,.](\d{3})\d*\s?(Z|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)


@dataclass(frozen=True)
class Window:
    """A span of time; both ends are aware of their zone."""

    since: datetime
    until: datetime

    def holds(self, moment: datetime) -> bool:
        """Return whether a moment lies in it, with what clocks may differ."""
        return self.since - SKEW <= moment <= self.until + SKEW


def excerpt(text: str, window: Window) -> str:
    """Return the lines of a log that are of this time, at most KEPT characters of them, the last ones.

    A line without a moment belongs to the one before (tracebacks do). A moment without its zone cannot be placed,
    so such lines are kept.
    """
    kept, wanted = [], True
    for line in text.splitlines(keepends=True):
        moment = moment_of(line)
        if moment is not None:
            wanted = window.holds(moment)
        elif _STAMP.search(line[:LONGEST_PREFIX]):
            wanted = True
        if wanted:
            kept.append(line)
    found = "".join(kept)
    if len(found) <= KEPT:
        return found
    return f"[{len(found) - KEPT} characters before this are left out]\n{found[-KEPT:]}"


def moment_of(line: str) -> datetime | None:
    """Return the moment a log line was written at; None when it names none, or not in which zone."""
    found = _STAMP.search(line[:LONGEST_PREFIX])
    if found is None or found[4] is None:
        return None
    try:
        naive = datetime.fromisoformat(f"{found[1]}T{found[2]}.{found[3]}")
        return naive.replace(tzinfo=_zone(found[4]))
    except ValueError:
        return None


def _zone(text: str) -> timezone:
    if text == "Z":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def read_log(remote: Remote, path: str, window: Window) -> str:
    """Return the excerpt of one log, or one line that says why there is none."""
    result = remote.run(["tail", "-c", str(READ_BYTES), path])
    if not result.ok:
        return f"[{result}]\n"
    return excerpt(result.stdout, window) or f"[{path} has no line of this time]\n"


def qemu_logs(remote: Remote, run_id: str) -> list[str]:
    """Return the paths of the logs of this run's own VMs on a node."""
    result = remote.run(["ls", QEMU_LOGS])
    names = result.stdout.split() if result.ok else []
    return [f"{QEMU_LOGS}/{name}" for name in names if run_id in name and "/" not in name]


def where(node: str) -> str:
    """Return where to look further, for the sentence of a failure."""
    return f"logs: {NODE_LOGS[0]} on {node}, {ENGINE_LOGS[0]} on the engine"


def where_of_vm(name: str) -> str:
    """Return where to look further when a VM did not do what it should."""
    return f"logs: {QEMU_LOGS}/{name}.log and {NODE_LOGS[0]} on its host, {ENGINE_LOGS[0]} on the engine"
