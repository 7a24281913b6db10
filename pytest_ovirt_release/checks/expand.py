"""Read compressed files that strangers made: gz, xz, bz2, zst, with caps on size and ratio, and a deadline."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import time
import zlib
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import zstandard

from pytest_ovirt_release.errors import CheckFailed, Unproven

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typing_extensions import Buffer

PIECE = 256 * 1024
LARGEST_AT_ONCE = 1024 * 1024
"""Most bytes that are read in one call: an archive's header may ask for gigabytes."""

RATIO_COUNTS_FROM = 16 * 1024 * 1024
"""Small files may shrink well; from this expanded size in bytes the ratio counts."""

LARGEST_ZSTD_WINDOW = 128 * 1024 * 1024

BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, zstandard.ZstdError, ValueError)
"""What the decompressors raise for bytes that are not theirs."""


@dataclass(frozen=True)
class Caps:
    """Most bytes a file may expand to, and how many times its packed size."""

    largest: int
    ratio: int


class _Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


class _Until:
    """A deadline in seconds from now; Unproven after it, for how fast a machine is says nothing of a file."""

    def __init__(self, what: str, deadline: float) -> None:
        self._what = what
        self._deadline = deadline
        self._end = time.monotonic() + deadline

    def check(self) -> None:
        if time.monotonic() > self._end:
            raise Unproven(f"{self._what} could not be expanded within {self._deadline:g} s")


class _Packed(io.FileIO):
    """The packed file: decompressors read on and on in it without giving anything back, if it holds only empty parts."""

    def __init__(self, path: Path, until: _Until) -> None:
        super().__init__(path)
        self._until = until

    def readinto(self, buffer: Buffer, /) -> int | None:
        self._until.check()
        return super().readinto(buffer)


class Bounded:
    """A forward-only stream of expanded bytes; CheckFailed(`expands-too-far`) beyond its caps, Unproven too late.

    `last` is what the latest `read` returned.
    """

    def __init__(self, stream: _Readable, what: str, packed: int, caps: Caps, until: _Until) -> None:
        """Take the expanding stream, a name for messages, the packed size in bytes, the caps and the deadline."""
        self._stream = stream
        self._until = until
        self._what = what
        self._packed = max(1, packed)
        self._caps = caps
        self._at = 0
        self.last = b""

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes; fewer only at the end."""
        if size < 0 or size > LARGEST_AT_ONCE:
            raise CheckFailed("expands-too-far", f"{self._what} asks for {size} bytes at once")
        self._until.check()
        parts, missing = [], size
        while missing and (data := self._stream.read(missing)):
            parts.append(data)
            missing -= len(data)
        self._at += size - missing
        self.last = b"".join(parts)
        if self._at > self._caps.largest:
            raise CheckFailed(
                "expands-too-far", f"{self._what} expands to more than {self._caps.largest} bytes"
            )
        if self._at > max(RATIO_COUNTS_FROM, self._caps.ratio * self._packed):
            raise CheckFailed(
                "expands-too-far", f"{self._what} expands to more than {self._caps.ratio} times its size"
            )
        return self.last

    def tell(self) -> int:
        """Return how many expanded bytes were read."""
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        """Skip forward; CheckFailed(`tarball-broken`) for any other move."""
        if whence != 0 or offset < self._at:
            raise CheckFailed("tarball-broken", f"{self._what} points back into itself")
        while self._at < offset and self.read(min(PIECE, offset - self._at)):
            pass
        return self._at


@contextmanager
def expanded(path: Path, caps: Caps, deadline: float) -> Iterator[Bounded]:
    """Open a file by its first bytes, not by its name: gz, xz, bz2, zst, or as it is; for `deadline` seconds."""
    until = _Until(path.name, deadline)
    with ExitStack() as stack:
        file = stack.enter_context(io.BufferedReader(_Packed(path, until), PIECE))
        magic = file.read(6)
        file.seek(0)
        stream: _Readable = file
        if magic.startswith(b"\x1f\x8b"):
            stream = stack.enter_context(gzip.GzipFile(fileobj=file, mode="rb"))
        elif magic == b"\xfd7zXZ\x00":
            stream = stack.enter_context(lzma.LZMAFile(file))
        elif magic.startswith(b"BZh"):
            stream = stack.enter_context(bz2.BZ2File(file))
        elif magic.startswith(b"\x28\xb5\x2f\xfd"):
            reader = zstandard.ZstdDecompressor(max_window_size=LARGEST_ZSTD_WINDOW)
            stream = stack.enter_context(reader.stream_reader(file, read_across_frames=True, closefd=False))
        yield Bounded(stream, path.name, path.stat().st_size, caps, until)


def expand(path: Path, out: Path, caps: Caps, deadline: float) -> str:
    """Write the expanded bytes to `out` within `deadline` seconds and return their SHA-256.

    Raises:
        CheckFailed: `expands-too-far`, or `file-broken` when the bytes cannot be expanded.
        Unproven: out of time.
    """
    digest = hashlib.sha256()
    with expanded(path, caps, deadline) as stream, out.open("wb") as file:
        while data := _next(stream, path.name):
            digest.update(data)
            file.write(data)
    return digest.hexdigest()


def _next(stream: Bounded, what: str) -> bytes:
    try:
        return stream.read(PIECE)
    except BROKEN as error:
        raise CheckFailed("file-broken", f"{what} cannot be expanded: {error}") from error
