"""Write a target file: the copy in a run folder, by which `ovirt-release reap` finds the engine again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tomli_w

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ovirt_release.target.model import Target


def target_toml(target: Target) -> bytes:
    """Return a target as TOML; it names where passwords are, and holds none."""
    return tomli_w.dumps(target.model_dump(mode="json", by_alias=True, exclude_none=True)).encode()


def write_target(target: Target, path: Path) -> None:
    """Write a target file, readable by its owner only."""
    path.touch(mode=0o600)
    path.write_bytes(target_toml(target))
