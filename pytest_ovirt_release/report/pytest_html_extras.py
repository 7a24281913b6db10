"""What tests attach to pytest-html's rows: capped, made harmless, and links to the run's evidence.

pytest-html keeps extras twice and puts names, addresses and HTML into its page as they are.
"""

from __future__ import annotations

import json
import os
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pytest_ovirt_release.report import text
from pytest_ovirt_release.report.links import is_plain_path, web_link

if TYPE_CHECKING:
    from collections.abc import Iterable

EVIDENCE = "release.evidence"
"""Name of the property that tells of an evidence file: `evidence/NAME sha256:DIGEST`."""

LARGEST_TEXT = 64 * 1024
"""Characters of one text that are kept: its head and its tail."""

LARGEST_MEDIA = 1024 * 1024
"""Characters of one picture or film; a larger one is left out, because half of it is nothing."""

_MEDIA = frozenset({"image", "video"})


def tame(extras: Iterable[Any]) -> list[dict[str, Any]]:
    """Return extras that cannot make the page large or do anything in it; what is no extra is left out."""
    return [_tamed(extra) for extra in extras if isinstance(extra, dict) and "format_type" in extra]


def _tamed(extra: dict[str, Any]) -> dict[str, Any]:
    kind, content = extra["format_type"], extra.get("content")
    said = {**extra, "name": escape(text.one_line(extra.get("name") or ""))}
    if kind == "url":
        address = text.one_line(content)
        return {**said, "content": escape(address) if web_link(address) else "#"}
    if kind in _MEDIA:
        size = len(content) if isinstance(content, str | bytes) else 0
        return said if size <= LARGEST_MEDIA else _as_text(said, f"left out: {kind} of {size} characters")
    if kind == "json":
        dumped = json.dumps(content, default=str)
        return (
            said if len(dumped) <= LARGEST_TEXT else {**said, "content": text.shorten(dumped, LARGEST_TEXT)}
        )
    told = content.decode("utf-8", "replace") if isinstance(content, bytes) else str(content)
    if len(told) <= LARGEST_TEXT:
        return {**said, "content": told}
    cut = text.shorten(told, LARGEST_TEXT)
    # Half of some HTML is broken HTML: it is shown as the text it is.
    return {**said, "content": f"<details><pre>{escape(cut)}</pre></details>" if kind == "html" else cut}


def _as_text(extra: dict[str, Any], told: str) -> dict[str, Any]:
    return {**extra, "format_type": "text", "mime_type": "text/plain", "extension": "txt", "content": told}


def links(properties: Any, folder: Path | None, page: str | None) -> str:  # noqa: ANN401 - whatever a test put there
    """Return links to the evidence files that a test's properties tell of, with their digests, as HTML."""
    told = dict.fromkeys(
        str(entry[1])
        for entry in properties
        if isinstance(entry, list | tuple) and len(entry) == 2 and entry[0] == EVIDENCE  # noqa: PLR2004 - a pair
    )
    return "".join(f"<div>{_link(*one.rpartition(' sha256:')[::2], folder, page)}</div>" for one in told)


def _link(path: str, digest: str, folder: Path | None, page: str | None) -> str:
    name = escape(text.shorten(text.visible(path.removeprefix("evidence/")), 200))
    said = f' <small title="SHA-256 {escape(digest)}">SHA-256 {escape(digest[:12])}…</small>'
    if folder is None or page is None or not is_plain_path(path):
        return name + said
    # pytest-html's page and the run's folder need not stand in the same place.
    way = os.path.relpath(folder / path, Path(page).absolute().parent)
    return f'<a href="{escape(quote(way))}" target="_blank" rel="noreferrer">{name}</a>{said}'
