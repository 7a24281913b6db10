"""The journal: one append-only JSON-lines file per process.

Each record is one `write()` of one line, so that a killed process leaves whole records and at most one torn
last line, which readers drop. What each kind of record holds: `verdict/records.py`.
"""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LARGEST_TEXT = 16 * 1024
"""Longest text of one value, in characters; more is cut in the middle and says so."""


SCHEMA = "ovirt-release-journal/1"

_SIMPLE = frozenset({str, int, float, bool, type(None)})
_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode


class Journal:
    """Writes one process's journal; `redact` is applied to every text that goes in."""

    def __init__(self, path: Path, redact: Callable[[str], str], run_id: str) -> None:
        """Open (append, mode 0600) the file and say whose it is; its folder must exist."""
        self.path = path
        self._redact = redact
        self._last = ""
        self._lock = threading.Lock()
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.write("opened", schema=SCHEMA, run=run_id, process=path.stem)

    def write(self, kind: str, /, *, sync: bool = False, **fields: object) -> None:
        """Append one record; `sync` also waits for the disk. Raises OSError when the disk is full."""
        with self._lock:
            # Never earlier than the record before: neither a clock that is set back nor another thread that was
            # quicker may change the order of what happened.
            self._last = max(self._last, datetime.now(UTC).isoformat(timespec="milliseconds"))
            data = _line({"kind": kind, "at": self._last, **fields}, self._redact).encode("ascii")
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


def _line(record: dict[str, object], redact: Callable[[str], str]) -> str:
    """Return a record as one line of redacted JSON."""
    line = _unchanged(record)
    if line is None or redact(line) != line:
        line = _encode(plain(record, redact))
    return f"{line}\n"


def _unchanged(record: dict[str, object]) -> str | None:
    """Return the JSON of a record that `plain` could change by redacting only; None where it might do more.

    Nearly all records are like that, and a suite of 10,000 tests writes 40,000 of them.
    """
    if not _SIMPLE.issuperset(map(type, record.values())):
        return None
    try:
        line = _encode(record)
    except ValueError:  # a number that is not finite
        return None
    # Where nothing is escaped, every text stands in the line as it is: a secret in it would be seen there.
    return line if "\\" not in line and len(line) <= LARGEST_TEXT else None


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
