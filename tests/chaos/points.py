"""Lets trouble come at one named point of a run: `-p tests.chaos.points`, in controller and workers.

A point is what a process does to the world or to its ledger: `before POST /disks #1`, `after intent vm #1`,
`during POST /hosts/*/approve #1`. Names hold no ids, so that the next run has the same points. Without CHAOS_POINT
they are only noted.

    CHAOS_NOTES   file that every passed point is appended to, one a line: `worker: before POST /disks #1`
    CHAOS_POINT   the point, as noted
    CHAOS_DO      kill-worker, kill-controller, kill-both, log-out, drop-ssh, or a word for whoever watches
                  `<CHAOS_NOTES>.fired`: the process goes on when `<CHAOS_NOTES>.done` is there
"""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_ovirt_release.checks.engine.session import BoundedConnection
from pytest_ovirt_release.checks.node import Remote
from pytest_ovirt_release.record.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27,}")
LEDGER = ("intent", "created", "removed", "left")
IN_FLIGHT = 0.03
"""Seconds after which a request or a command is on its way, and mostly not answered yet."""
PATIENCE = 60.0
"""Seconds that a process waits for the watcher."""


class Points:
    """The points of one process, and what is done at one of them."""

    def __init__(self, role: str) -> None:
        """Read what is wanted."""
        self._role = role
        self._notes = Path(os.environ["CHAOS_NOTES"])
        self._wanted = os.environ.get("CHAOS_POINT", "")
        self._do = os.environ.get("CHAOS_DO", "")
        self._seen: Counter[str] = Counter()

    def number(self, what: str) -> str:
        """Return the name of the next thing of this kind: `POST /disks #2`."""
        what = ID.sub("*", what)
        self._seen[what] += 1
        return f"{what} #{self._seen[what]}"

    def reach(self, when: str, what: str, connection: BoundedConnection | None = None) -> None:
        """Note the point, and let the trouble come if it is this one."""
        point = f"{self._role}: {when} {what}"
        with self._notes.open("a") as notes:
            notes.write(f"{point}\n")
        if point == self._wanted and self._first():
            self._act(connection)

    def _first(self) -> bool:
        """Return whether this is the first process to get there: one that takes over passes the point too."""
        try:
            fd = os.open(f"{self._notes}.fired", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            return False
        os.write(fd, self._do.encode())
        os.close(fd)
        return True

    def _act(self, connection: BoundedConnection | None) -> None:
        if self._do == "log-out":
            if connection is not None and connection._sso_token is not None:
                connection._revoke_access_token()
        elif self._do.startswith("kill-"):
            self._kill()
        elif self._do != "drop-ssh":  # that one is done where the command is on its way
            end = time.monotonic() + PATIENCE
            while not Path(f"{self._notes}.done").exists() and time.monotonic() < end:
                time.sleep(0.01)

    def _kill(self) -> None:
        if self._role == "controller":
            children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
            if self._do == "kill-both":
                for child in children:
                    with suppress(ProcessLookupError):
                        os.kill(int(child), signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)
        if self._do in {"kill-controller", "kill-both"}:
            os.kill(os.getppid(), signal.SIGKILL)
        if self._do in {"kill-worker", "kill-both"}:
            os.kill(os.getpid(), signal.SIGKILL)

    def drops(self, point: str) -> bool:
        """Return whether the SSH connection is to be lost in mid-command here."""
        return self._do == "drop-ssh" and self._wanted == f"{self._role}: before {point}"


def pytest_configure(config: pytest.Config) -> None:
    """Put the points where this process acts."""
    points = Points("worker" if hasattr(config, "workerinput") else "controller")
    _watch_ledger(points)
    _watch_engine(points)
    _watch_nodes(points)


def _watch_ledger(points: Points) -> None:
    real: Callable[..., None] = Journal.write

    def write(self: Journal, kind: str, /, **fields: Any) -> None:
        name = (
            points.number(f"{kind} {fields['what']}" if "what" in fields else kind) if kind in LEDGER else ""
        )
        if name:
            points.reach("before", name)
        real(self, kind, **fields)
        if name:
            points.reach("after", name)

    Journal.write = write  # type: ignore[method-assign] # a plugin of tests, for one process


def _watch_engine(points: Points) -> None:
    real_send, real_wait = BoundedConnection.send, BoundedConnection.wait
    going: dict[int, str] = {}

    def send(self: BoundedConnection, request: Any) -> Any:
        name = "" if request.method == "GET" else points.number(f"{request.method} {request.path}")
        if name:
            points.reach("before", name, self)
        context = real_send(self, request)
        if name:
            going[id(context[0])] = name
        return context

    def wait(self: BoundedConnection, context: Any, failed_auth: bool = False) -> Any:  # noqa: FBT001, FBT002 - the SDK's
        name = going.pop(id(context[0]), "")
        if not name:
            return real_wait(self, context, failed_auth)
        timer = threading.Timer(IN_FLIGHT, points.reach, ("during", name))
        timer.daemon = True
        timer.start()
        answer = real_wait(self, context, failed_auth)
        timer.cancel()
        points.reach("after", name, self)
        return answer

    BoundedConnection.send, BoundedConnection.wait = send, wait  # type: ignore[method-assign] # same


def _watch_nodes(points: Points) -> None:
    real = Remote.run

    def run(self: Remote, argv: Any, deadline: float | None = None) -> Any:
        name = points.number(f"ssh {self.name} {argv[0]}")
        points.reach("before", name)
        if points.drops(name):
            transport = self._connected()
            threading.Timer(IN_FLIGHT / 10, transport.sock.close).start()
        result = real(self, argv, deadline)
        points.reach("after", name)
        return result

    Remote.run = run  # type: ignore[method-assign] # same
