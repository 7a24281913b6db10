"""Keep secrets out of everything that is written: every encoded form that libraries print them in."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

from pytest_ovirt_release.errors import ReleaseError

MASK = "***"
SHORTEST = 4
"""Shorter secrets are refused: hiding them would hide ordinary text, and they protect nothing."""


class Redactor:
    """Replaces known secrets in texts; call it like a function."""

    def __init__(self) -> None:
        """Start with no secret known."""
        self._known: set[str] = set()
        self._forms: tuple[str, ...] = ()

    def add(self, secret: str) -> None:
        """Hide this secret from now on: raw, percent-, plus-, HTML-, JSON-, hex- and base64-encoded.

        Raises:
            ReleaseError: it is too short to be hidden.
        """
        if secret in self._known:
            return
        if len(secret) < SHORTEST:
            raise ReleaseError(
                f"a password has fewer than {SHORTEST} characters: hiding it in the reports would hide ordinary "
                "text; give the user a longer one"
            )
        self._known.add(secret)
        escaped = html.escape(secret)
        forms = {
            secret,
            quote(secret, safe=""),
            quote(secret),
            quote_plus(secret),
            escaped,
            html.escape(escaped),
            json.dumps(secret)[1:-1],
            repr(secret)[1:-1],
            ascii(secret)[1:-1],
            repr(secret.encode())[2:-1],
            secret.encode().hex(),
            *_in_base64(secret.encode()),
        }
        # Longest first, so that one form inside another leaves no rest behind.
        self._forms = tuple(sorted(forms | set(self._forms), key=len, reverse=True))

    def __call__(self, text: str) -> str:
        """Return the text with every known form masked."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        return text


def _in_base64(secret: bytes) -> set[str]:
    """Return what stands in base64 for these bytes, wherever they begin: `user:password` is encoded as one text."""
    found = set()
    for before in range(3):
        code = base64.b64encode(b"\0" * before + secret)
        # Characters that also hold bits of a neighbour differ from text to text.
        whole = code[(before * 4 + 2) // 3 : (before + len(secret)) * 8 // 6].decode()
        found |= {whole, whole.translate(str.maketrans("+/", "-_"))}
    return found
