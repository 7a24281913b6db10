"""Output of which only so much is kept: neither a flood nor a mistake of the other side fills our memory."""

from __future__ import annotations


class Capped:
    """A stream of bytes: all of it up to `largest` bytes, else its head and its tail, half of that each.

    `size` counts every byte; `whole` is set by who has read the stream to its end.
    """

    def __init__(self, largest: int) -> None:
        """Take the most bytes to keep."""
        self._half = largest // 2
        self._head = bytearray()
        self._tail = bytearray()
        self.size = 0
        self.whole = False

    def add(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        self.size += len(data)
        room = self._half - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        if len(self._tail) > 2 * self._half:
            del self._tail[: -self._half]

    def read(self) -> bytes:
        """Return what is kept; a cut says how many bytes are missing."""
        tail = self._tail[-self._half :]
        cut = self.size - len(self._head) - len(tail)
        middle = f"\n[… {cut} bytes cut …]\n".encode() if cut else b""
        return bytes(self._head) + middle + bytes(tail)

    def text(self) -> str:
        """Return what is kept as text."""
        return self.read().decode("utf-8", "replace")
