"""Which checks have been seen to fail: `controls.json`, and whether it still fits the checks' source."""

from __future__ import annotations

import ast
import functools
import hashlib
import json
from typing import TYPE_CHECKING, Literal

from pydantic import Field, ValidationError

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.release.model import Sha256, Slug, Strict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PACKAGE = "pytest_ovirt_release"


class Control(Strict):
    """What is known of one requirement's checks: the faults they caught, the digest of their source then."""

    faults: tuple[str, ...]
    digest: Sha256


class Controls(Strict):
    """The committed file, written by `nox -s controls`."""

    schema_name: Literal["ovirt-release-controls/1"] = Field(alias="schema")
    requirements: dict[Slug, Control] = Field(default_factory=dict)


def read_controls(path: Path) -> Controls:
    """Read controls.json; a missing file knows of no control. ReleaseError when it is broken."""
    if not path.is_file():
        return Controls.model_validate({"schema": "ovirt-release-controls/1"})
    try:
        return Controls.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, ValidationError) as error:
        raise ReleaseError(f"{path} is broken: {error}; write it again with nox -s controls") from error


def digest_of(tests: Iterable[Path], package: Path) -> str:
    """Return one digest over test files and every module of `checks` that they import, however far down."""
    open_ends = sorted(set(tests))
    seen: dict[Path, bytes] = {}
    while open_ends:
        path = open_ends.pop()
        if path not in seen:
            seen[path] = path.read_bytes()
            open_ends += _imported(seen[path], package)
    total = hashlib.sha256()
    for path in sorted(seen, key=lambda p: p.name + str(p)):
        total.update(f"{path.name} {hashlib.sha256(seen[path]).hexdigest()}\n".encode())
    return total.hexdigest()


@functools.cache
def _imported(source: bytes, package: Path) -> tuple[Path, ...]:
    """Return the modules of `checks` that a source imports; data beside them counts by its module's tests.

    Remembered: the requirements share most modules, and parsing each for each of them delayed every run by seconds.
    """
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    found = []
    for name in sorted(n for n in names if n.startswith(f"{PACKAGE}.checks")):
        base = package.parent / name.replace(".", "/")
        found += [p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()]
    return tuple(found)


def judge_controls(
    controls: Controls, tests: dict[str, tuple[str, ...]], root: Path, package: Path
) -> dict[str, dict[str, object]]:
    """Return for each requirement with tests whether its control is fresh, and the faults it caught."""
    judged: dict[str, dict[str, object]] = {}
    for requirement, names in tests.items():
        known = controls.requirements.get(requirement)
        fresh = known is not None and known.digest == digest_of(
            {root / n.split("::")[0] for n in names}, package
        )
        judged[requirement] = {
            "controlled": fresh and bool(known and known.faults),
            "faults": list(known.faults) if known else [],
        }
    return judged
