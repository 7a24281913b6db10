"""Call git where nothing but our own settings counts, and read from its complaint what went wrong."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pytest_ovirt_release.errors import CheckFailed, ReleaseError, Unreachable
from pytest_ovirt_release.local.processes import Finished, Limits, OutOfTime, ask

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LARGEST_PACK = 1024**3
"""Most bytes that one fetch may bring: three times the whole history of oVirt's largest repository."""

SCHEMES = ("http", "https")
_BAD_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-/.]|[/.]$|\.lock$")


def raise_what_is_certain(done: Finished, url: str) -> None:
    """Raise what a failed call says beyond doubt: no such repository, no such commit, no connection."""
    said = done.err.decode("utf-8", "replace")
    if re.search(r"repository '.*' not found", said):
        raise CheckFailed("repository-missing", f"there is no git repository at {url}")
    if "File too large" in said or "signal 25" in said:
        raise CheckFailed("repository-too-large", f"{url} sends more than {LARGEST_PACK} bytes")
    if "not our ref" in said:
        raise CheckFailed("commit-missing", f"{url} does not hold the commit: {done.complaint}")
    if "unable to access" in said or "could not fetch" in said:
        raise Unreachable(f"{url} cannot be reached: {done.complaint}")


def check_url(url: str) -> None:
    """Raise ReleaseError for an address that git must not be asked for."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.hostname or any(c.isspace() for c in url):
        raise ReleaseError(f"{url!r} is no address we would ask git for; it has to be http:// or https://")
    if parts.password:
        raise ReleaseError(
            "a git address must not hold a password; use a repository that can be read without one"
        )


def full_ref(start: str, name: str) -> str:
    """Return the full name of a tag or branch; ReleaseError when git would not take the name literally."""
    if _BAD_REF.search(name) or not name:
        raise ReleaseError(f"{name!r} is no name of a tag or branch")
    return start + name


def git(
    words: Sequence[str], folder: Path, deadline: float, *, url: str = "", fetching: bool = False
) -> Finished:
    """Run git where no settings but ours count; Unreachable when the deadline passes.

    `url` is the server that is asked, if one is. Limits hold when `fetching`: a server may send without end, and git has no cap of its own.
    """
    env = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "/bin/false",
        # A server may redirect; from https never to anything less.
        "GIT_ALLOW_PROTOCOL": "https" if url.startswith("https:") else ":".join(SCHEMES),
        "GIT_CEILING_DIRECTORIES": str(folder.parent),
        "GIT_NO_LAZY_FETCH": "1",
    }
    limits = Limits(cpu_seconds=max(1, round(deadline)), file_size=LARGEST_PACK) if fetching else None
    try:
        return ask(["git", "-c", "gc.auto=0", *words], deadline=deadline, env=env, cwd=folder, limits=limits)
    except OutOfTime as error:
        raise Unreachable(f"git {words[0]} did not finish within {deadline:.0f} s") from error
