"""Tell a damaged signature from one of other bytes: a signature packet holds the first two bytes of what it signed.

gpg says BADSIG for both. The difference matters to whoever has to mend the release, never to the verdict.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_VERSION_4 = 4
_HASHED_AT = 6
"""A version 4 packet: version, class, key algorithm, digest, and two bytes that give the hashed fields' length."""
_NAMES = {
    1: "md5",
    2: "sha1",
    8: "sha256",
    9: "sha384",
    10: "sha512",
    11: "sha224",
    12: "sha3_256",
    14: "sha3_512",
}
_PIECE = 1 << 20


def signs_these_bytes(signature: bytes, data: Path) -> bool:
    """Return whether a version 4 signature packet's digest begins like that of a file (RFC 9580, 5.2.3 and 5.2.4).

    False too for packets of other versions or unknown digests: then nothing is known.
    """
    if len(signature) < _HASHED_AT or signature[0] != _VERSION_4 or signature[3] not in _NAMES:
        return False
    hashed = signature[: _HASHED_AT + int.from_bytes(signature[4:_HASHED_AT], "big")]
    unhashed_at = len(hashed) + 2
    unhashed = int.from_bytes(signature[len(hashed) : unhashed_at], "big")
    prefix = signature[unhashed_at + unhashed :][:2]
    if len(prefix) < len(b"ab"):
        return False
    digest = hashlib.new(_NAMES[signature[3]], usedforsecurity=False)
    with data.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    digest.update(hashed + b"\x04\xff" + len(hashed).to_bytes(4, "big"))
    return digest.digest()[:2] == prefix
