"""Which texts may become links, and which are digests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from pytest_ovirt_release.verdict.model import Evidence, Verdict

_PLAIN_PATH = re.compile(r"[A-Za-z0-9._@=+,~-]+(/[A-Za-z0-9._@=+,~-]+)*")
_HEX = re.compile(r"[0-9a-fA-F]{40,}")


def web_link(uri: str) -> str | None:
    """Return a web address that may become a link, else None (`javascript:` and its kin never do)."""
    return uri if re.match(r"https?://[^\s<>\"']+$", uri) else None


def file_link(verdict: Verdict, evidence: Evidence) -> str | None:
    """Return the relative link of an evidence file: only in the run's own folder and only for a plain path."""
    if len(verdict.runs) != 1 or not evidence.file:
        return None
    return quote(evidence.file) if is_plain_path(evidence.file) else None


def is_plain_path(path: str) -> bool:
    """Return whether a path leads down from where it begins, and holds nothing but harmless characters."""
    return ".." not in path.split("/") and _PLAIN_PATH.fullmatch(path) is not None


def is_hex(text: str) -> bool:
    """Return whether a text is a digest, commit or fingerprint."""
    return bool(_HEX.fullmatch(text))
