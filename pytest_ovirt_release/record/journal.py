"""The journal: one append-only JSON-lines file per process.

Each record is one `write()` of one line, so that a killed process leaves whole records and at most one torn
last line, which readers drop. What each kind of record holds: `verdict/records.py`.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LARGEST_TEXT = 16 * 1024
"""Longest text of one value, in characters; more is cut in the middle and says so."""


SCHEMA = "ovirt-release-journal/1"


class Journal:
    """Writes one process's journal; `redact` is applied to every text that goes in."""

    def __init__(self, path: Path, redact: Callable[[str], str], run_id: str) -> None:
        """Open (append, mode 0600) the file and say whose it is; its folder must exist."""
        self.path = path
        self._redact = redact
        self._last = ""
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.write("opened", schema=SCHEMA, run=run_id, process=path.stem)

    def write(self, kind: str, /, *, sync: bool = False, **fields: object) -> None:
        """Append one record; `sync` also waits for the disk. Raises OSError when the disk is full."""
        # Never earlier than the record before: a clock that is set back must not change the order of what happened.
        self._last = max(self._last, datetime.now(UTC).isoformat(timespec="milliseconds"))
        record = {"kind": kind, "at": self._last, **fields}
        line = json.dumps(plain(record, self._redact), ensure_ascii=True, separators=(",", ":")) + "\n"
        data = line.encode("ascii")
        written = os.write(self._fd, data)
        if written != len(data):
            # Half a record in the middle of a file would look like damage to every reader.
            os.ftruncate(self._fd, os.fstat(self._fd).st_size - written)
            raise OSError(f"{self.path}: only {written} of {len(data)} bytes could be written")
        if sync:
            os.fsync(self._fd)

    def close(self) -> None:
        """Close the file; closing twice is harmless."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def plain(value: object, redact: Callable[[str], str]) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """Turn a value into what JSON can hold: redacted and capped texts, numbers, lists, string-keyed dicts."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)  # noqa: PLR0124 - NaN
    if isinstance(value, dict):
        return {sound(redact(str(k))): plain(v, redact) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v, redact) for v in value]
    if isinstance(value, bytes):
        value = value.decode("utf-8", "backslashreplace")
    return cut(sound(redact(str(value))))


def sound(text: str) -> str:
    """Return a text without lone surrogates, which neither UTF-8 nor the channel of a worker can carry."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def cut(text: str) -> str:
    """Keep head and tail of a text that is too long."""
    if len(text) <= LARGEST_TEXT:
        return text
    half = LARGEST_TEXT // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half} characters cut …]\n{text[-half:]}"
