"""Live progress of a run on the terminal: one status line below pytest's own output, or plain lines in a log file."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from typing import TYPE_CHECKING, Any

from pytest_ovirt_release.checks.progress import read_all
from pytest_ovirt_release.report.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pytest_ovirt_release.checks.progress import Awaited
    from pytest_ovirt_release.record.context import Context

    Waits = Sequence[tuple[str, Awaited]]

TICK = 0.25
STATUS_AFTER = 0.5
"""Seconds a wait lasts before the status line shows it: what is shorter would only flicker."""
PLAIN_AFTER = 5.0
"""Seconds a wait lasts before it gets a line of a log."""
PLAIN_AGAIN = 60.0
"""Seconds after which a log is told once more that nothing has changed."""
ALONE = "controller"
"""The process of a run without workers; its name says nothing to a tester."""


def sentence(process: str, awaited: Awaited, now: float) -> str:
    """Return what one process waits for: `gw0 host node-1 up: installing, 12 of 900 s`."""
    who = "" if process == ALONE else f"{process} "
    return f"{who}{awaited.what}: {awaited.state}, {now - awaited.since:.0f} of {awaited.deadline:.0f} s"


def status_line(waits: Waits, now: float, width: int) -> str:
    """Return one line for all waits, no wider than the terminal; each is cut so that all have room."""
    told = [sentence(p, a, now) for p, a in waits if now - a.since >= STATUS_AFTER]
    if not told:
        return ""
    room = max(8, (width - 1 - 3 * (len(told) - 1)) // len(told))
    return " | ".join(_cut(text, room) for text in told)[: max(0, width - 1)]


def _cut(text: str, room: int) -> str:
    """Cut out of the middle: the beginning says who waits for what, the end for how long."""
    if len(text) <= room:
        return text
    tail = room // 2
    return f"{text[: room - tail - 1]}~{text[-tail:]}"


def show(plugins: Any, context: Context) -> Live | None:  # noqa: ANN401 - pytest's plugin manager
    """Show a run's progress on pytest's terminal; None where there is no terminal, or one without a descriptor."""
    terminal = plugins.get_plugin("terminalreporter")
    if terminal is None:
        return None
    try:
        live = Live(
            terminal._tw,  # noqa: SLF001 - pytest has no public name for it
            context.folder / "progress",
            lambda text: one_line(context.redact(text)),
        )
    except (OSError, AttributeError, ValueError):
        return None
    live.start()
    return live


class PlainLines:
    """Which lines a log gets: each wait once it has become long, again with each state, and once a minute."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._said: dict[tuple[str, str, float], tuple[str, float]] = {}

    def lines(self, waits: Waits, now: float) -> list[str]:
        """Return the lines that are due now."""
        found, kept = [], {}
        for process, awaited in waits:
            key = (process, awaited.what, awaited.since)
            state, at = self._said.get(key, ("", -PLAIN_AGAIN))
            due = now - awaited.since >= PLAIN_AFTER and (state != awaited.state or now - at >= PLAIN_AGAIN)
            if due:
                found.append(f"waiting: {sentence(process, awaited, now)}")
            kept[key] = (awaited.state, now) if due else (state, at)
        self._said = kept
        return found


class Live:
    """Shows progress from a thread of its own, until it is stopped.

    While a test runs pytest has put standard output elsewhere, so this writes to a copy of the terminal's file
    descriptor. In between pytest writes through us: the status line is taken away before, or it would be torn.
    """

    def __init__(self, writer: Any, folder: Path, clean: Callable[[str], str]) -> None:  # noqa: ANN401 - pytest's own
        """Take pytest's terminal writer, the folder of the processes' files, and what makes a text fit to print."""
        self._writer = writer
        self._folder = folder
        self._clean = clean
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._is_shown = False
        self._plain = PlainLines()
        self._real = writer._file  # noqa: SLF001 - pytest has no public name for it
        self._fd = os.dup(self._real.fileno())
        self._is_terminal = bool(self._real.isatty())
        self._thread = threading.Thread(target=self._run, name="live progress", daemon=True)

    def start(self) -> None:
        """Begin to show progress."""
        if self._is_terminal:
            self._writer._file = _Beneath(self, self._real)  # noqa: SLF001 - see above
        self._thread.start()

    def stop(self) -> None:
        """Show nothing more; the terminal is as if nothing had been shown."""
        if self._ended.is_set():
            return
        self._ended.set()
        self._thread.join(5)
        with self._lock:
            self.hide()
            self._writer._file = self._real  # noqa: SLF001 - see above
            os.close(self._fd)

    def hide(self) -> None:
        """Take the status line away."""
        if self._is_shown:
            self._is_shown = False
            self._put(f"\n\r\x1b[2K{self._back()}")

    def write(self, text: str) -> Any:  # noqa: ANN401 - what a file's write returns
        """Write what pytest says, above the status line."""
        with self._lock:
            self.hide()
            return self._real.write(text)

    def _run(self) -> None:
        while not self._ended.wait(TICK):
            waits, now = read_all(self._folder), time.monotonic()
            with self._lock, contextlib.suppress(OSError):  # a terminal that went away
                if self._is_terminal:
                    self._show(self._clean(status_line(waits, now, shutil.get_terminal_size().columns)))
                else:
                    for line in self._plain.lines(waits, now):
                        start = "\n" if self._column() else ""
                        self._put(f"{start}{self._clean(line)}\n")

    def _show(self, line: str) -> None:
        if not line:
            self.hide()
            return
        self._real.flush()
        # One row down, which scrolls at the bottom, and back to where pytest goes on.
        self._put(f"\n\r\x1b[2K{line}{self._back()}")
        self._is_shown = True

    def _back(self) -> str:
        return f"\x1b[1A\x1b[{self._column() + 1}G"

    def _column(self) -> int:
        return int(self._writer.width_of_current_line)

    def _put(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        while data:
            data = data[os.write(self._fd, data) :]


class _Beneath:
    """A file like the terminal's own, which takes the status line away before each write."""

    def __init__(self, live: Live, real: Any) -> None:  # noqa: ANN401 - any text file
        self._live = live
        self._real = real

    def write(self, text: str) -> Any:  # noqa: ANN401 - what a file's write returns
        return self._live.write(text)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - everything else is the real one's
        return getattr(self._real, name)
