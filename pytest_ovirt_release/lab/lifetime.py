"""How long a lab lives: until somebody asks it to stop or its parent is gone; and nothing outlives it."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import select
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

SET_CHILD_SUBREAPER = 36
"""prctl(2)'s number for: orphans among my descendants become my children."""

PARENT_INTERVAL = 1.0
"""Seconds between two looks at the parent, only where the kernel has no pidfd."""

SWEEP_DEADLINE = 5.0
"""Seconds in which the last child processes must be gone."""

LONGEST_COMMAND = 200
"""Characters of a command line that are logged."""

log = logging.getLogger(__name__)


def adopt_orphans() -> None:
    """Make daemons that our children start (gpg's agent, PostgreSQL) our own children, so that none is lost."""
    with suppress(OSError, AttributeError):  # only Linux has it; the lab then relies on each part's own stop
        ctypes.CDLL(None, use_errno=True).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def stop_on_signals(stop: asyncio.Event) -> None:
    """Set `stop` on SIGTERM, SIGINT and SIGHUP, also where a script's `&` had them ignored."""
    loop = asyncio.get_running_loop()

    def asked(number: signal.Signals) -> None:
        log.info("asked to stop by %s", number.name)
        stop.set()

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, asked, number)


async def stop_with_parent(parent: int, stop: asyncio.Event) -> None:
    """Set `stop` once the process `parent` is gone."""
    try:
        descriptor = os.pidfd_open(parent)
    except (OSError, AttributeError):
        await _poll_parent(parent, stop)
    else:
        # A pidfd becomes readable when its process ends, and no later process can take its place.
        gone = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(descriptor, gone.set)
        try:
            await gone.wait()
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)
    log.info("the parent process %s is gone", parent)
    stop.set()


def is_alive(pid: int) -> bool:
    """Return whether there is a process with this id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it lives, under another user
    return True


async def _poll_parent(parent: int, stop: asyncio.Event) -> None:
    while is_alive(parent) and not stop.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), PARENT_INTERVAL)


def sweep() -> None:
    """Kill every process that descends from this one, and log which were still there."""
    end = time.monotonic() + SWEEP_DEADLINE
    while (left := list(descendants(os.getpid()))) and time.monotonic() < end:
        for pid in left:
            if command := _command(pid):
                log.warning("left behind, killed: %s %s", pid, command)
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        for pid in left:
            _reap(pid, end - time.monotonic())


def _reap(pid: int, seconds: float) -> None:
    with suppress(OSError, AttributeError):
        descriptor = os.pidfd_open(pid)
        try:
            select.select([descriptor], [], [], max(0.0, seconds))
        finally:
            os.close(descriptor)
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def descendants(root: int) -> Iterator[int]:
    """Yield the ids of all processes below `root`, nearest first."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            # The command name, in parentheses, may hold anything; the fields after it are plain.
            parent = int(entry.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.parent.name))
    waiting = list(children.get(root, []))
    while waiting:
        pid = waiting.pop(0)
        yield pid
        waiting.extend(children.get(pid, []))


def _command(pid: int) -> str:
    """Return a process's command line; nothing for one that has ended and only waits to be reaped."""
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
        return words.decode(errors="replace").strip()[:LONGEST_COMMAND]
    return ""
