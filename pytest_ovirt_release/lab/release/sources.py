"""The source trees of the lab's components: small, deterministic, with a version file as the page wants it."""

from __future__ import annotations

from pathlib import PurePosixPath

Tree = dict[str, tuple[bytes, int]]
"""A source tree: path below its top -> bytes and permission bits."""

FILE = 0o644
PROGRAM = 0o755


def tree(name: str, version: str, version_file: str | None) -> Tree:
    """Return a component's sources at one version; the version file names that version."""
    module = name.replace("-", "_")
    files: Tree = {
        "README": (
            f"{name}\n{'=' * len(name)}\n\nOne component of oVirt, as the lab publishes it.\n".encode(),
            FILE,
        ),
        "COPYING": (b"This source tree was made by a test lab. Do with it what you like.\n", FILE),
        "Makefile": (f"all:\n\t@echo building {name}\n".encode(), FILE),
        f"src/{module}.py": (_MODULE.format(name=name).encode(), FILE),
        f"src/{module}-tool": (b"#!/bin/sh\nexec python3 -m " + module.encode() + b'"$@"\n', PROGRAM),
    }
    if version_file:
        files[version_file] = (version_text(name, version, version_file).encode(), FILE)
    return files


def version_text(name: str, version: str, path: str) -> str:
    """Return a file that says the version, in the manner of its kind."""
    kind = PurePosixPath(path)
    if kind.suffix == ".xml":
        return _POM.format(name=name, version=version)
    if kind.suffix == ".py":
        return f'"""{name}."""\n\nVERSION = "{version}"\n'
    if kind.name.startswith("configure"):
        return f"AC_INIT([{name}], [{version}])\nAM_INIT_AUTOMAKE\nAC_OUTPUT\n"
    if kind.name.endswith((".spec", ".spec.in")):
        return f"Name: {name}\nVersion: {version}\nRelease: 1\nSummary: {name}\nLicense: Apache-2.0\n"
    return f"{version}\n"


_MODULE = '''"""{name}: the part that a lab needs."""


def main() -> int:
    """Say what this is."""
    print("{name}")
    return 0
'''

_POM = """<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>org.ovirt.engine</groupId>
  <artifactId>{name}</artifactId>
  <packaging>pom</packaging>
  <version>{version}</version>
</project>
"""
