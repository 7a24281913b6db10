"""A file that is still coming: beside its place until it is whole, hashed on the way, and able to be continued."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pytest_ovirt_release.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Partial:
    """What has arrived so far of the file that is to be at `path`: `size` bytes and their digest.

    `validator` is what the server calls this very version of the file by; without one it cannot be continued.
    """

    def __init__(self, path: Path) -> None:
        """Take the file's place; its folder is made."""
        self.path = path
        self.size = 0
        self.validator = ""
        self._digest = hashlib.sha256()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, self._name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        except OSError as error:
            raise self._unwritable(error) from error
        self._file = os.fdopen(handle, "wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        Path(self._name).unlink(missing_ok=True)

    def begin(self, headers: Mapping[str, str]) -> None:
        """Start from the beginning, with the head of the answer that brings the file."""
        etag = headers.get("etag", "")
        # A weak tag only means "says the same", which may be other bytes.
        self.validator = etag if etag.startswith('"') else headers.get("last-modified", "")
        self.size = 0
        self._digest = hashlib.sha256()
        self._file.seek(0)
        self._file.truncate()

    def asked_for(self) -> dict[str, str]:
        """Return the headers that ask for what is missing, none when all of it has to come again."""
        if not self.size or not self.validator:
            return {}
        return {"Range": f"bytes={self.size}-", "If_Range": self.validator}

    def goes_on(self, content_range: str) -> bool:
        """Return whether a partial answer is the rest of this file."""
        return content_range.startswith(f"bytes {self.size}-")

    def add(self, data: bytes) -> None:
        """Write a piece."""
        try:
            self._file.write(data)
        except OSError as error:
            raise self._unwritable(error) from error
        self._digest.update(data)
        self.size += len(data)

    def put(self) -> str:
        """Put the whole file in its place; return its SHA-256."""
        try:
            self._file.close()
            Path(self._name).replace(self.path)
        except OSError as error:
            raise self._unwritable(error) from error
        return self._digest.hexdigest()

    def _unwritable(self, error: OSError) -> ReleaseError:
        return ReleaseError(f"{self.path} cannot be written: {error.strerror or error}")
