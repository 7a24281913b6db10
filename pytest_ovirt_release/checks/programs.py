"""Run a program of this machine: no shell, no input, a deadline, nothing of it left afterwards."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ovirt_release.errors import ReleaseError, Unproven

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LARGEST_OUTPUT = 64 * 1024 * 1024
"""Most bytes a program may write before its answer is refused."""


class OutOfTime(Unproven):
    """A program did not finish within its deadline and was ended."""


class TooMuchOutput(Unproven):
    """A program wrote more than anybody would read."""


@dataclass(frozen=True)
class Finished:
    """What a program left: exit code (negative: the signal that ended it) and both outputs."""

    code: int
    out: bytes
    err: bytes

    @property
    def complaint(self) -> str:
        """The last lines of its standard error, for a message."""
        lines = self.err.decode("utf-8", "replace").strip().splitlines()
        return " / ".join(lines[-3:])[:400]


def run(argv: Sequence[str], *, deadline: float, env: Mapping[str, str], cwd: Path | None = None) -> Finished:
    """Run a program in its own process group for at most `deadline` seconds.

    `env` is the whole environment: nothing of ours goes in unless it is named there.

    Raises:
        ReleaseError: the program is not installed.
        OutOfTime: the deadline passed; the program and all it started were killed.
        TooMuchOutput: it wrote more than LARGEST_OUTPUT.
    """
    try:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(env),
            cwd=cwd,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        if cwd is not None and not cwd.is_dir():
            raise
        raise ReleaseError(f"{argv[0]} is not installed; {how_to_install(argv[0])}") from error
    try:
        out, err = process.communicate(timeout=max(deadline, 0.001))
    except BaseException as error:
        _kill_group(process)
        if isinstance(error, subprocess.TimeoutExpired):
            raise OutOfTime(f"{argv[0]} did not finish within {deadline:.0f} s") from error
        raise
    if len(out) + len(err) > LARGEST_OUTPUT:
        raise TooMuchOutput(f"{argv[0]} wrote {len(out) + len(err)} bytes, more than {LARGEST_OUTPUT}")
    return Finished(process.returncode, out, err)


def how_to_install(program: str) -> str:
    """Return the command that brings a program on the systems we know."""
    package = {"gpg": "gnupg", "git": "git"}.get(program, program)
    fedora = {"gpg": "gnupg2"}.get(program, package)
    return f"apt install {package} (Debian) or dnf install {fedora} (Fedora, EL)"


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):  # it ended in this very moment
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    process.wait()
