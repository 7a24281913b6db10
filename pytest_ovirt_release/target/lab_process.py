"""Start the embedded lab as a subprocess and end it again; it answers by writing an ordinary target file."""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ovirt_release.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Sequence

READY = 90.0
"""Seconds a lab may take until everything answers."""

GRACE = 15.0
"""Seconds a lab may take to end by itself."""


@dataclass
class LabProcess:
    """A running lab: its target file, and the folder it lives in."""

    process: subprocess.Popen[bytes]
    folder: Path
    target: Path

    def died(self) -> str | None:
        """Return a sentence if the lab ended although nobody asked it to."""
        code = self.process.poll()
        return None if code is None else f"the lab ended by itself with code {code}"

    def stop(self, keep_log: Path) -> None:
        """End the lab and keep its log; the lab removes its own folder, and we what a dead one left."""
        log = self.folder / "lab.log"
        if log.is_file():
            shutil.copyfile(log, keep_log)
        _end(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)


def start_lab(page: Path, speed: str, faults: Sequence[str]) -> LabProcess:
    """Start a lab for a release page and wait until it is ready; ReleaseError says why it is not.

    The lab makes its own scratch folder: then it is gone with the lab even when we are killed.
    """
    words = [sys.executable, "-m", "pytest_ovirt_release.lab", "--speed", speed]
    words += ["--page", str(page), "--parent", str(os.getpid())]
    for fault in faults:
        words += ["--fault", fault]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
        )
        try:
            line = _first_line(process, READY)
        except BaseException:
            _end(process)
            raise
        if line.startswith("ready "):
            target = Path(line.removeprefix("ready ").strip())
            return LabProcess(process, target.parent, target)
        _end(process)
        errors.seek(0)
        said = errors.read(4096).decode("utf-8", "backslashreplace").strip()
    said = said.removeprefix("the lab did not start: ")  # it has a command of its own, which says so too
    raise ReleaseError(f"the lab did not start: {said or 'it said nothing'}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a lab and wait for it; its whole session, if it does not end by itself."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(GRACE)
    if process.stdout is not None:
        process.stdout.close()


def _first_line(process: subprocess.Popen[bytes], seconds: float) -> str:
    """Return the lab's first line, or nothing when it ended or the time is over."""
    if process.stdout is None:  # it was started with a pipe
        return ""
    end = time.monotonic() + seconds
    data = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while b"\n" not in data and (left := end - time.monotonic()) > 0:
            if selector.select(left):
                chunk = os.read(process.stdout.fileno(), 4096)
                if not chunk:
                    break
                data += chunk
    return data.split(b"\n")[0].decode("utf-8", "backslashreplace")
