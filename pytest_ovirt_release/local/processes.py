"""Run one program with a deadline: no shell, own session, no input, capped output, nothing of its group left behind."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pytest_ovirt_release.errors import ReleaseError, Unproven
from pytest_ovirt_release.local.capped import Capped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LAUNCHER = Path(__file__).with_name("limited.py")
LARGEST_OUTPUT = 128 * 1024
"""Bytes that `run` keeps: one half from the beginning, the other from the end."""
LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes that a program may write before `ask` refuses its answer."""
DRAIN = 2.0
"""Seconds to read what is left in the pipes once the group is gone; only an escaped child can hold them open."""


class OutOfTime(Unproven):
    """A program did not finish within its deadline and was ended."""


class TooMuchOutput(Unproven):
    """A program wrote more than anybody would read."""


@dataclass(frozen=True)
class Limits:
    """Resource limits: CPU seconds, largest file and address space in bytes, threads above those the user has."""

    cpu_seconds: int
    file_size: int = 1 << 30
    address_space: int = 16 << 30
    extra_threads: int = 512


@dataclass(frozen=True)
class Finished:
    """How a program ended: `status` is negative for a signal; `err` is empty where it was mixed into `out`."""

    status: int
    out: bytes
    err: bytes
    seconds: float
    timed_out: bool = False

    @property
    def output(self) -> str:
        """Its standard output as text."""
        return self.out.decode("utf-8", "replace")

    @property
    def complaint(self) -> str:
        """The last lines of its standard error, for a message."""
        lines = self.err.decode("utf-8", "replace").strip().splitlines()
        return " / ".join(lines[-3:])[:400]


def run(
    command: Sequence[str],
    *,
    deadline: float,
    env: Mapping[str, str],
    cwd: Path,
    limits: Limits | None = None,
) -> Finished:
    """Run a program and return how it ended, stdout and stderr mixed as they came, cut in the middle if long.

    At the deadline (seconds) its whole group is killed and `timed_out` says so. The environment is exactly `env`.

    Raises:
        ReleaseError: the program is not installed (with `limits`, that shows as status 127 instead).
    """
    return _execute(_limited(command, limits), [Capped(LARGEST_OUTPUT)], deadline, env, cwd)


def ask(
    command: Sequence[str],
    *,
    deadline: float,
    env: Mapping[str, str],
    cwd: Path | None = None,
    limits: Limits | None = None,
) -> Finished:
    """Run a program whose every byte counts, stdout and stderr apart. The environment is exactly `env`.

    Raises:
        ReleaseError: the program is not installed (with `limits`, that shows as status 127 instead).
        OutOfTime: the deadline (seconds) passed; the program and all it started were killed.
        TooMuchOutput: it wrote more than LARGEST_ANSWER.
    """
    kept = [Capped(LARGEST_ANSWER), Capped(LARGEST_ANSWER)]
    done = _execute(_limited(command, limits), kept, deadline, env, cwd)
    if done.timed_out or not all(k.whole for k in kept):
        raise OutOfTime(f"{command[0]} did not finish within {deadline:.0f} s")
    written = sum(k.size for k in kept)
    if written > LARGEST_ANSWER:
        raise TooMuchOutput(f"{command[0]} wrote {written} bytes, more than {LARGEST_ANSWER}")
    return done


def how_to_install(program: str) -> str:
    """Return the command that brings a program on the systems we know."""
    package = {"gpg": "gnupg"}.get(program, program)
    fedora = {"gpg": "gnupg2"}.get(program, program)
    return f"apt install {package} (Debian) or dnf install {fedora} (Fedora, EL)"


def _execute(
    command: Sequence[str], kept: Sequence[Capped], deadline: float, env: Mapping[str, str], cwd: Path | None
) -> Finished:
    """Run a command; `kept` takes its output, and the second, if there is one, its standard error."""
    began = time.monotonic()
    process = _start(command, env, cwd, apart=len(kept) > 1)
    streams = {pipe: k for pipe, k in zip((process.stdout, process.stderr), kept, strict=False) if pipe}
    with ExitStack() as pipes:
        for pipe in streams:
            pipes.enter_context(pipe)
        try:
            in_time = _watch(process, streams, began + deadline)
        finally:
            _end_group(process)
        _read(streams, time.monotonic() + DRAIN)
    out, err = kept[0].read(), kept[1].read() if len(kept) > 1 else b""
    return Finished(process.wait(DRAIN), out, err, time.monotonic() - began, timed_out=not in_time)


def _start(
    command: Sequence[str], env: Mapping[str, str], cwd: Path | None, *, apart: bool
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if apart else subprocess.STDOUT,
            env=dict(env),
            cwd=cwd,
            start_new_session=True,
            bufsize=0,
        )
    except FileNotFoundError as error:
        if cwd is not None and not cwd.is_dir():
            raise
        raise ReleaseError(f"{command[0]} is not installed; {how_to_install(command[0])}") from error


def _limited(command: Sequence[str], limits: Limits | None) -> Sequence[str]:
    if limits is None:
        return command
    numbers = (limits.cpu_seconds, limits.file_size, limits.address_space, limits.extra_threads)
    return [sys.executable, "-I", "-S", str(LAUNCHER), *map(str, numbers), *command]


def _watch(process: subprocess.Popen[bytes], streams: Mapping[IO[bytes], Capped], until: float) -> bool:
    """Read output until the program itself has ended; False when the deadline came first."""
    end = os.pidfd_open(process.pid)
    try:
        return _read(streams, until, end)
    finally:
        os.close(end)


def _read(streams: Mapping[IO[bytes], Capped], until: float, end: int | None = None) -> bool:
    """Read until the descriptor `end` is ready, or without one until the streams end; False: out of time."""
    with selectors.DefaultSelector() as ready:
        if end is not None:
            ready.register(end, selectors.EVENT_READ)
        for pipe, kept in streams.items():
            if not kept.whole:
                ready.register(pipe, selectors.EVENT_READ, kept)
        while ready.get_map():
            if (left := until - time.monotonic()) <= 0:
                return False
            for key, _ in ready.select(left):
                if key.data is None:
                    return True
                data = os.read(key.fd, 65536)
                key.data.add(data)
                if not data:
                    key.data.whole = True
                    ready.unregister(key.fileobj)
    return True


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the program's group; its leader is not yet reaped, so the id is still ours."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(DRAIN)
