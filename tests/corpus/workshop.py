"""What builders of bad releases work with: a folder, real keys, a web server on loopback."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.unit.checks.signing import KeyRoom

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ovirt_release.checks.signers import SignerPolicy
    from tests.unit.checks.web import Web

DEADLINE = 30.0
"""Seconds that a check of the corpus may take."""


@dataclass
class KeyCupboard:
    """A gpg home for the whole session; a key is made when it is first asked for."""

    room: KeyRoom = field(default_factory=KeyRoom)
    _made: dict[str, str] = field(default_factory=dict)

    def key(self, name: str, *, expires: str = "0", at: str | None = None) -> str:
        """Return the fingerprint of the key of this name; keys that a case changes need names of their own."""
        if name not in self._made:
            self._made[name] = self.room.make_key(name, expires=expires, at=at)
        return self._made[name]


@dataclass
class Workshop:
    """One case's place: `folder` is empty, `web` serves what is put there. `signer` holds the roles, `stranger` none."""

    folder: Path
    keys: KeyCupboard
    web: Web
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def room(self) -> KeyRoom:
        """Where keys live and signatures are made."""
        return self.keys.room

    @property
    def signer(self) -> str:
        """The fingerprint of a key that holds the role."""
        return self.keys.key("Release Signer")

    @property
    def stranger(self) -> str:
        """The fingerprint of a key that nobody pinned."""
        return self.keys.key("Stranger Unknown")

    def policy(self) -> SignerPolicy:
        """Return the policy that lets the signer, and nobody else, sign."""
        return self.room.policy(self.folder, self.signer)
