"""Download a file over HTTP(S): streaming, hashed on the way, continued when it breaks off, with deadline and cap."""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from pytest_ovirt_release.checks.http_exchange import BrokenOff, Exchange, TooMuch
from pytest_ovirt_release.checks.partial import Partial
from pytest_ovirt_release.errors import CheckFailed, ReleaseError, Unproven, Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from urllib3.response import BaseHTTPResponse

LARGEST_REDIRECTS = 5
LARGEST_ATTEMPTS = 5
"""How often a file that breaks off is asked for."""

PAUSE = 0.2
"""Seconds before the second attempt, twice that before the third, and so on."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OK, _PARTIAL = 200, 206
_GONE = frozenset({404, 410})


class NotThere(Unproven):
    """The server says that there is nothing at this address; who asked decides what that means."""

    def __init__(self, url: str, status: int) -> None:
        """Take the address and the HTTP status."""
        self.url = url
        self.status = status
        super().__init__(f"there is nothing at {url} (HTTP {status})")


class TooLarge(CheckFailed):
    """The file is larger than any such file may be."""

    def __init__(self, url: str, largest: int) -> None:
        """Take the address and the cap in bytes."""
        super().__init__(
            "file-too-large", f"{url} is larger than the {largest} bytes that such a file may have"
        )


@dataclass(frozen=True)
class Downloaded:
    """A file that arrived whole: where it is, SHA-256, size in bytes, asked address, server's date."""

    path: Path
    sha256: str
    size: int
    url: str
    last_modified: datetime | None = None


def download(url: str, path: Path, *, deadline: float, largest: int) -> Downloaded:
    """Download `url` to `path` within `deadline` seconds in all; nothing is left at `path` unless all arrived.

    A body that breaks off is continued where it ended, if the server can do that, else it comes again.

    Raises:
        NotThere: HTTP 404 or 410.
        TooLarge: more than `largest` bytes.
        Unreachable: no connection, another status, broken off too often, or out of time.
        ReleaseError: the address is not http or https, or `path` cannot be written.
    """
    end = time.monotonic() + deadline
    _check_url(url)
    with Partial(path) as partial:
        for attempt in range(1, LARGEST_ATTEMPTS):
            try:
                return _download(url, partial, end, largest)
            except BrokenOff:
                time.sleep(min(attempt * PAUSE, max(0.0, end - time.monotonic())))
        return _download(url, partial, end, largest)


def download_any(
    urls: Sequence[str], path: Path, *, deadline: float, largest: int, sha256: str | None = None
) -> Downloaded:
    """Download from the first address that answers; the rest are its mirrors. Raises as `download`.

    What a mirror lacks, or has with another digest than `sha256`, is passed over: only the first address can
    disprove anything. All of it takes at most `deadline` seconds.
    """
    end = time.monotonic() + deadline
    first, *mirrors = urls
    try:
        return download(first, path, deadline=deadline, largest=largest)
    except Unreachable as error:
        troubles = [str(error)]
    for mirror in mirrors:
        try:
            got = download(mirror, path, deadline=max(0.001, end - time.monotonic()), largest=largest)
        except (Unreachable, NotThere, TooLarge) as error:
            troubles.append(str(error))
            continue
        if sha256 in (None, got.sha256):
            return got
        path.unlink()
        troubles.append(f"{mirror} has other bytes, with SHA-256 {got.sha256}")
    raise Unreachable("; ".join(troubles))


def addresses(url: str, mirrors: Iterable[tuple[str, Sequence[str]]]) -> list[str]:
    """Return an address and, for each mirror of the place it begins with, the same file there."""
    return [
        url,
        *(
            other.rstrip("/") + url.removeprefix(place.rstrip("/"))
            for place, others in mirrors
            if url.startswith(place.rstrip("/") + "/")
            for other in others
        ),
    ]


def local_name(url: str) -> str:
    """Return a plain file name for the last part of an address: no folders, never hidden, never empty."""
    name = re.sub(r"[^A-Za-z0-9._+~-]", "_", url.partition("?")[0].rpartition("/")[2]).lstrip(".")[-150:]
    return name or hashlib.sha256(url.encode()).hexdigest()[:16]


def _download(asked: str, partial: Partial, end: float, largest: int) -> Downloaded:
    url = asked
    for _ in range(LARGEST_REDIRECTS + 1):
        _check_url(url)
        with Exchange(url, end) as exchange:
            response = exchange.get(**partial.asked_for())
            if response.status in _REDIRECTS:
                url = _redirected(url, response.headers.get("location"))
                continue
            if response.status in _GONE:
                raise NotThere(url, response.status)
            if response.status == _OK:
                partial.begin(response.headers)
            elif response.status != _PARTIAL or not partial.asked_for():
                raise Unreachable(f"{url} answered HTTP {response.status}")
            elif not partial.goes_on(response.headers.get("content-range", "")):
                raise Unreachable(f"{url} answered with another part than the one that was missing")
            digest = _save(exchange, response, partial, largest)
            return Downloaded(
                partial.path, digest, partial.size, asked, _date(response.headers.get("last-modified"))
            )
    raise Unreachable(f"{asked} redirects more than {LARGEST_REDIRECTS} times")


def _save(exchange: Exchange, response: BaseHTTPResponse, partial: Partial, largest: int) -> str:
    left = largest - partial.size
    length = response.headers.get("content-length", "")
    if length.isdigit() and int(length) > left:
        raise TooLarge(exchange.url, largest)
    try:
        for data in exchange.pieces(response, left):
            partial.add(data)
    except TooMuch as error:
        raise TooLarge(exchange.url, largest) from error
    return partial.put()


def _redirected(url: str, location: str | None) -> str:
    if not location:
        raise Unreachable(f"{url} redirects to nowhere")
    target = urljoin(url, location)
    if urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
        raise Unreachable(f"{url} redirects away from https, to {target}")
    return target


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ReleaseError(f"{url!r} cannot be downloaded; it has to be http:// or https://")


def _date(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC) if text else None
    except (ValueError, TypeError, OverflowError):
        return None
