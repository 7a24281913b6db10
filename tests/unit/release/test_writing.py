"""Data files are written whole or not at all, and never over another by accident."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.release.loading import load_candidate
from pytest_ovirt_release.release.writing import to_toml, write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable


def test_what_is_written_loads_as_the_same(
    candidate_data: dict[str, Any], save: Callable[..., Path], tmp_path: Path
) -> None:
    candidate_data["components"][0]["files"] = [
        {"kind": "tarball", "name": "x", "sha256": "0" * 64, "size": 1}
    ]
    candidate = load_candidate(save(candidate_data))
    write_atomically(tmp_path / "out.toml", to_toml(candidate))
    assert load_candidate(tmp_path / "out.toml") == candidate


def test_packages_can_be_added_to_the_end_of_a_written_candidate(
    candidate_data: dict[str, Any], save: Callable[..., Path], tmp_path: Path
) -> None:
    path = tmp_path / "out.toml"
    package = '[[packages]]\ndistribution = "f16"\nname = "vdsm"\nversion = "1"\narchitecture = "x86_64"\n'
    path.write_text(to_toml(load_candidate(save(candidate_data))) + package)
    assert load_candidate(path).packages[0].name == "vdsm"


def test_a_file_that_is_there_stays_unless_replaced(tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_atomically(path, "one")
    with pytest.raises(ReleaseError, match="is there already; choose another name, or remove it first"):
        write_atomically(path, "two")
    assert path.read_text() == "one"
    write_atomically(path, "three", replace=True)
    assert path.read_text() == "three"
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="cannot be written: No such file or directory"):
        write_atomically(tmp_path / "none" / "x", "one")
