"""Keep secrets out of everything that is written: every encoded form that libraries print them in."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

MASK = "***"
SHORTEST = 4
"""Shorter secrets are refused: hiding them would hide ordinary text, and they protect nothing."""


class Redactor:
    """Replaces known secrets in texts; call it like a function."""

    def __init__(self) -> None:
        """Start with no secret known."""
        self._forms: tuple[str, ...] = ()

    def add(self, secret: str) -> None:
        """Hide this secret from now on: raw, percent-, plus-, HTML-, JSON- and base64-encoded."""
        if len(secret) < SHORTEST:
            raise ValueError(f"a secret must have at least {SHORTEST} characters")
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
            base64.b64encode(secret.encode()).decode().rstrip("="),
        }
        # Longest first, so that one form inside another leaves no rest behind.
        self._forms = tuple(sorted(forms | set(self._forms), key=len, reverse=True))

    def __call__(self, text: str) -> str:
        """Return the text with every known form masked."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        return text
