"""What a package file says of itself: an index that names one package must not lead to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ovirt_release.errors import CheckFailed

if TYPE_CHECKING:
    from pathlib import Path

BROKEN = "package-broken"


@dataclass(frozen=True)
class PackageFile:
    """Name, architecture and every form of its full version (an rpm's epoch may be written or left out)."""

    name: str
    versions: tuple[str, ...]
    architecture: str

    def must_be(self, name: str, version: str, architecture: str, where: str) -> None:
        """Raise CheckFailed(`package-is-another`) unless the file is the package that the index calls it."""
        if (self.name, self.architecture) != (name, architecture) or version not in self.versions:
            raise CheckFailed(
                "package-is-another",
                f"{where} is listed as {name} {version} ({architecture}) and calls itself {self.name[:100]} "
                f"{self.versions[0][:100]} ({self.architecture[:100]})",
            )


def broken(path: Path, why: object) -> CheckFailed:
    """Return the failure for a file that is no package; its downloaded name is in the message."""
    return CheckFailed(BROKEN, f"{path.name} cannot be read as a package: {why}")
