"""Ids that look random and are the same again for the same seed."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections import Counter


class Ids:
    """Makes ids by what they are for: the n-th VM has the same id in every lab of this seed, whatever else was made."""

    def __init__(self, seed: int) -> None:
        """Take the lab's seed, any whole number."""
        self.seed = seed
        self._made: Counter[str] = Counter()

    def uuid(self, kind: str) -> str:
        """Return the next id of a kind of object, a version 4 UUID by its form (RFC 9562, section 5.4)."""
        return str(uuid.UUID(bytes=self._next(kind)[:16], version=4))

    def word(self, kind: str) -> str:
        """Return the next short hexadecimal id of a kind, at most 8 digits."""
        return f"{int.from_bytes(self._next(kind)[:4]):x}"

    def session(self) -> str:
        """Return the public name of the next login: 86 characters, as long as the engine's."""
        return base64.urlsafe_b64encode(self._next("session")).decode().rstrip("=")

    def _next(self, kind: str) -> bytes:
        self._made[kind] += 1
        return hashlib.sha512(f"{self.seed} {kind} {self._made[kind]}".encode()).digest()
