"""Checksum files: what `sha256sum` and BSD's `sha256` write."""

from __future__ import annotations

import re

from pytest_ovirt_release.errors import CheckFailed

LARGEST_CHECKSUMS = 4 * 1024 * 1024
_CHECKSUM_LINE = re.compile(r"\\?([0-9a-fA-F]{64}) [ *](.+)|SHA256 \((.+)\) = ([0-9a-fA-F]{64})")


def must_be_listed(checksums: str, name: str, sha256: str, where: str) -> None:
    """Raise CheckFailed unless a checksum file (sha256sum's or BSD's form) gives this digest for this name."""
    listed: set[str] = set()
    for line in checksums.split("\n"):
        match = _CHECKSUM_LINE.fullmatch(line.rstrip("\r"))
        if match and (match[2] or match[3]).removeprefix("./") == name:
            listed.add((match[1] or match[4]).lower())
    if not listed:
        raise CheckFailed("checksum-missing", f"{where} does not list {name}")
    if listed != {sha256}:
        raise CheckFailed(
            "checksum-differs", f"{name} has SHA-256 {sha256}, {where} says {', '.join(sorted(listed))}"
        )
