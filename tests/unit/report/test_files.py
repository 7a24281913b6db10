"""Reports are written whole or not at all, and the examples in the repository are what we write today."""

from __future__ import annotations

import errno
import json
import os
import stat
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from pytest_ovirt_release import schemas
from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.report import files
from pytest_ovirt_release.verdict import serial
from pytest_ovirt_release.verdict.model import Verdict

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

ALL = {"verdict.json", "acceptance.html", "announcement.md", "junit.xml"}


def test_all_reports_are_written_and_nothing_else(go: Verdict, tmp_path: Path) -> None:
    written = files.write_all(go, tmp_path / "run")
    assert {path.name for path in written} == ALL
    assert {path.name for path in (tmp_path / "run").iterdir()} == ALL
    for path in written:
        assert path.read_bytes().endswith(b"\n")


@pytest.mark.parametrize("name", ["no_go", "conditional"])
def test_a_verdict_survives_its_file(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    verdict: Verdict = request.getfixturevalue(name)
    path = files.write_verdict_json(verdict, tmp_path)
    assert Verdict.model_validate_json(path.read_bytes()) == verdict


def test_numbers_that_json_cannot_hold_become_texts(go: Verdict) -> None:
    data = go.model_dump(by_alias=True)
    data["requirements"][0]["cells"][0]["evidence"][0]["value"] = {"a": [float("nan"), float("inf")]}
    written = serial.verdict_json(Verdict.model_validate(data))
    assert "NaN" not in written
    json.loads(written)


@pytest.mark.parametrize("hostile", ["<script>", "\u202enur", "a b", "w" * 10_000, "x\n::error::"])
@pytest.mark.parametrize("key", ["id", "needs"])
def test_a_verdict_file_with_a_hostile_id_is_refused_with_a_short_sentence(
    go: Verdict, tmp_path: Path, key: str, hostile: str
) -> None:
    data = go.model_dump(by_alias=True, mode="json")
    data["requirements"][0][key] = hostile if key == "id" else [hostile]
    (tmp_path / "verdict.json").write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(
        ReleaseError, match=rf"is no verdict that this program wrote: requirements\.0\.{key}"
    ) as caught:
        serial.read_verdict(tmp_path)
    assert len(str(caught.value)) < 400 + len(str(tmp_path))
    assert hostile not in str(caught.value)


def test_a_full_disk_is_one_clear_message_and_the_old_file_stays(
    go: Verdict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files.write_verdict_json(go, tmp_path).read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ReleaseError, match=r"verdict\.json: cannot be written: No space left on device"):
        files.write_all(go, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["verdict.json"]
    assert (tmp_path / "verdict.json").read_bytes() == before


def test_a_folder_that_cannot_be_made_is_one_clear_message(go: Verdict, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(ReleaseError, match="cannot be written"):
        files.write_verdict_json(go, tmp_path / "file")


def test_reports_can_be_read_by_whom_the_umask_allows(go: Verdict, tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        path = files.write_verdict_json(go, tmp_path)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("name", sorted(schemas.FORMATS))
def test_shipped_schemas_are_what_the_models_say(name: str) -> None:
    schema = schemas.load(name)
    Draft202012Validator.check_schema(schema)
    assert schema == schemas.build(name), "stale: run python -m pytest_ovirt_release.schemas"


@pytest.mark.parametrize("name", ["go", "no_go", "conditional", "invalid", "hostile"])
def test_verdicts_fit_their_schema(name: str, request: pytest.FixtureRequest) -> None:
    verdict: Verdict = request.getfixturevalue(name)
    Draft202012Validator(schemas.load("verdict")).validate(json.loads(serial.verdict_json(verdict)))


def test_a_verdict_without_a_must_count_does_not_fit(go: Verdict) -> None:
    data = json.loads(serial.verdict_json(go))
    del data["must"]
    assert not Draft202012Validator(schemas.load("verdict")).is_valid(data)


def test_committed_examples_are_what_we_write_today(example: ModuleType, tmp_path: Path) -> None:
    example.write(tmp_path)
    fresh = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for path, content in fresh.items():
        committed = example.FOLDER / path
        assert committed.read_bytes() == content, f"{path} is stale: run python tests/unit/report/example.py"
