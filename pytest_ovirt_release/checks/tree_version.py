"""What an unpacked tarball says its version is: the version file, and the spec file of its RPM package."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.notes import mentions
from pytest_ovirt_release.errors import CheckFailed

if TYPE_CHECKING:
    from pathlib import Path

LARGEST_TEXT = 4 * 1024 * 1024
_VERSION_TAG = re.compile(r"^Version:[ \t]*(?P<version>\S+)[ \t]*$", re.IGNORECASE | re.MULTILINE)
_MACRO = re.compile(r"^%(?:global|define)[ \t]+(?P<name>\w+)[ \t]+(?P<value>\S+)[ \t]*$", re.MULTILINE)


def must_be_version(source: Path, version: str, version_file: str | None, spec: str | None) -> None:
    """Raise CheckFailed unless the files that the page names say this version.

    Raises:
        CheckFailed: `version-file-missing`, `version-differs`, `spec-missing`, `spec-differs`.
    """
    if version_file is not None:
        text = _text(source, version_file, "version-file-missing")
        if not mentions(text, version):
            raise CheckFailed("version-differs", f"{version_file} in the tarball does not say {version}")
    if spec is not None:
        said = spec_version(_text(source, spec, "spec-missing"))
        if said != version:
            raise CheckFailed("spec-differs", f"{spec} in the tarball says version {said}, not {version}")


def spec_version(text: str) -> str | None:
    """Return the Version of an RPM spec file with its plain macros filled in once; None when it has none."""
    found = _VERSION_TAG.search(text)
    if found is None:
        return None
    macros = {m["name"]: m["value"] for m in _MACRO.finditer(text)}
    return re.sub(r"%\{\??(\w+)\}|%(\w+)", lambda m: macros.get(m[1] or m[2], m[0]), found["version"])


def _text(source: Path, name: str, missing: str) -> str:
    path = source / name
    # Links were checked when unpacking, and yet nothing outside the tree may be read for it.
    if not path.resolve().is_relative_to(source.resolve()) or not path.is_file():
        raise CheckFailed(missing, f"there is no {name} in the tarball")
    with path.open("rb") as file:
        return file.read(LARGEST_TEXT).decode("utf-8", "replace")
