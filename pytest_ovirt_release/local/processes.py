"""Run one program with a deadline: own session, no input, capped output, nothing of its group left behind."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LAUNCHER = Path(__file__).with_name("limited.py")
LARGEST_OUTPUT = 128 * 1024
"""Bytes of output that are kept: one half from the beginning, the other from the end."""
DRAIN = 2.0
"""Seconds to read what is left in the pipe once the group is gone; only an escaped child can hold it open."""


@dataclass(frozen=True)
class Limits:
    """Resource limits: CPU seconds, largest file and address space in bytes, threads above those the user has."""

    cpu_seconds: int
    file_size: int = 1 << 30
    address_space: int = 16 << 30
    extra_threads: int = 512


@dataclass(frozen=True)
class Finished:
    """How a program ended: `status` is negative for a signal; `output` holds stdout and stderr as they came."""

    status: int
    output: str
    seconds: float
    timed_out: bool = False


class _Tail:
    """Keeps the head and the tail of a stream of bytes."""

    def __init__(self, largest: int) -> None:
        self._half = largest // 2
        self._head = bytearray()
        self._tail = bytearray()
        self._cut = 0

    def add(self, data: bytes) -> None:
        room = self._half - len(self._head)
        self._head += data[:room]
        self._tail += data[room:] if room < len(data) else b""
        if len(self._tail) > 2 * self._half:
            surplus = len(self._tail) - self._half
            self._cut += surplus
            del self._tail[:surplus]

    def text(self) -> str:
        surplus = max(0, len(self._tail) - self._half)
        tail = bytes(self._tail[surplus:])
        cut = self._cut + surplus
        middle = f"\n[… {cut} bytes cut …]\n".encode() if cut else b""
        return (bytes(self._head) + middle + tail).decode("utf-8", "replace")


def run(
    command: Sequence[str],
    *,
    deadline: float,
    env: Mapping[str, str],
    cwd: Path,
    limits: Limits | None = None,
) -> Finished:
    """Run a program and return how it ended; at the deadline (seconds) its whole group is killed.

    The environment is exactly `env`. stdin is closed, stderr goes with stdout. Raises OSError when the
    program cannot be started (with `limits`, that shows as status 127 instead).
    """
    began = time.monotonic()
    process = subprocess.Popen(
        _limited(command, limits),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(env),
        cwd=cwd,
        start_new_session=True,
        bufsize=0,
    )
    kept = _Tail(LARGEST_OUTPUT)
    pipe = process.stdout
    assert pipe is not None  # noqa: S101 - stdout=PIPE above; told to the type checker
    with pipe:
        try:
            ended = _watch(process, pipe, kept, began + deadline)
        finally:
            _end_group(process)
        _read_until(pipe, kept, time.monotonic() + DRAIN)
    return Finished(process.wait(DRAIN), kept.text(), time.monotonic() - began, timed_out=not ended)


def _limited(command: Sequence[str], limits: Limits | None) -> list[str]:
    if limits is None:
        return list(command)
    numbers = (limits.cpu_seconds, limits.file_size, limits.address_space, limits.extra_threads)
    return [sys.executable, "-I", "-S", str(LAUNCHER), *map(str, numbers), *command]


def _watch(process: subprocess.Popen[bytes], pipe: IO[bytes], kept: _Tail, until: float) -> bool:
    """Read output until the program itself has ended; False when the deadline came first."""
    descriptor = os.pidfd_open(process.pid)
    try:
        with selectors.DefaultSelector() as ready:
            ready.register(descriptor, selectors.EVENT_READ, "end")
            ready.register(pipe, selectors.EVENT_READ, "output")
            while (left := until - time.monotonic()) > 0:
                events = {key.data for key, _ in ready.select(left)}
                if "end" in events:
                    return True
                if "output" in events:
                    data = os.read(pipe.fileno(), 65536)
                    kept.add(data)
                    if not data:
                        ready.unregister(pipe)
    finally:
        os.close(descriptor)
    return False


def _read_until(pipe: IO[bytes], kept: _Tail, until: float) -> None:
    with selectors.DefaultSelector() as ready:
        ready.register(pipe, selectors.EVENT_READ)
        while (left := until - time.monotonic()) > 0 and ready.select(left):
            data = os.read(pipe.fileno(), 65536)
            if not data:
                return
            kept.add(data)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the program's group; its leader is not yet reaped, so the id is still ours."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(DRAIN)
