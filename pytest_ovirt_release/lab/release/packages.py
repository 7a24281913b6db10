"""A package as the lab builds it, whatever its format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_ovirt_release.lab.release.sources import Tree


@dataclass(frozen=True)
class Package:
    """One binary package: `version` is upstream's, `release` the distribution's part of it."""

    name: str
    version: str
    release: str
    architecture: str
    summary: str
    built: datetime
    files: Tree

    @property
    def full_version(self) -> str:
        """Upstream version and distribution release, as both formats write them."""
        return f"{self.version}-{self.release}"


def files_of(name: str, version: str) -> Tree:
    """Return what the lab puts into a package: a program and its documentation."""
    return {
        f"usr/bin/{name}": (f'#!/bin/sh\necho "{name} {version}"\n'.encode(), 0o755),
        f"usr/share/doc/{name}/VERSION": (f"{version}\n".encode(), 0o644),
    }
