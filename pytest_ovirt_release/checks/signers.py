"""Who may sign what: a role, the fingerprints that hold it, and their public keys pinned by digest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.openpgp_packets import NotOpenPgp, key_packets
from pytest_ovirt_release.errors import ReleaseError, Unproven

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from pytest_ovirt_release.release.page import Page

LARGEST_KEY_FILE = 4 * 1024 * 1024


class SignerUnassigned(Unproven):
    """Nobody holds the role, so no signature can be accepted and none can be called wrong."""

    code = "signer-unassigned"


@dataclass(frozen=True)
class KeyPin:
    """A public key file (binary or armoured) and the SHA-256 of its bytes, in lower-case hex."""

    path: Path
    sha256: str


@dataclass(frozen=True)
class SignerPolicy:
    """Whose signature is accepted for one kind of artefact.

    `fingerprints` are full primary key fingerprints. `required` distinct holders of the role must have signed.
    A signature by anybody else beside theirs is refused unless `tolerate_others`. `page` is for messages, and so
    are `others`: the page's other roles and who holds them. Their keys are pinned too, so that a signature by the
    wrong one of the project's people is told from a stranger's.
    """

    role: str
    fingerprints: tuple[str, ...]
    keys: tuple[KeyPin, ...]
    not_before: datetime | None = None
    required: int = 1
    tolerate_others: bool = False
    page: str = ""
    others: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @classmethod
    def of(cls, page: Page, role: str, folder: Path) -> SignerPolicy:
        """Read a role from the page; key paths are relative to `folder`. A role the page lacks is unassigned."""
        signer = next((s for s in page.signers if s.role == role), None)
        if signer is None:
            return cls(role, (), (), page=page.id)
        everybody = (signer, *page.signers) if signer.keys else ()  # a role without a key is told as such
        keys = dict.fromkeys(KeyPin(folder / k.path, k.sha256) for s in everybody for k in s.keys)
        others = tuple((s.role, s.fingerprints) for s in page.signers if s.role != role)
        return cls(
            role, signer.fingerprints, tuple(keys), not_before=signer.not_before, page=page.id, others=others
        )

    def roles_of(self, fingerprint: str | None) -> str:
        """Return the other roles that a key holds, for a message; nothing when it holds none."""
        held = [role for role, fingerprints in self.others if fingerprint in fingerprints]
        return f" but {' and '.join(held)}" if held else ""

    def must_be_assigned(self) -> None:
        """Raise SignerUnassigned when nobody holds the role."""
        if not self.fingerprints:
            where = f" on page {self.page}" if self.page else ""
            raise SignerUnassigned(
                f"role {self.role} is unassigned{where}: nobody has said who may sign, so no signature can be "
                f"judged; give the role a fingerprint and a key file under [[signers]]"
            )


def keyring(policy: SignerPolicy) -> bytes:
    """Return a binary keyring of the policy's pinned key files.

    Raises:
        ReleaseError: a key file is missing, differs from its pin, or is no public key.
    """
    parts = []
    for pin in policy.keys:
        where = f"role {policy.role}: key file {pin.path}"
        try:
            with pin.path.open("rb") as file:
                data = file.read(LARGEST_KEY_FILE + 1)
        except OSError as error:
            raise ReleaseError(f"{where} cannot be read: {error.strerror or error}") from error
        found = hashlib.sha256(data).hexdigest()
        if found != pin.sha256:
            raise ReleaseError(f"{where} has SHA-256 {found}, the page pins {pin.sha256}; do not use it")
        try:
            parts.append(key_packets(data))
        except NotOpenPgp as error:
            raise ReleaseError(f"{where} is no OpenPGP public key: {error}") from error
    if not parts:
        raise ReleaseError(
            f"role {policy.role} names fingerprints but no key file; add its public key to the page"
        )
    return b"".join(parts)
