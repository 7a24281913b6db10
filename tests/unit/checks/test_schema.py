"""A version table as ovirt-engine's own scripts leave it: where a new database begins, and scripts of both kinds."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from pytest_ovirt_release.checks.schema import Schema, Step, judge, scripts_in
from pytest_ovirt_release.errors import CheckFailed
from pytest_ovirt_release.release.page import Script

if TYPE_CHECKING:
    from pathlib import Path

BEGIN, LAST = "04_01_0000_set_version.sql", "04_05_0010_move_files.sh"
TEXTS = {BEGIN: b"SELECT 4010000;", LAST: b"exit 0"}
SUMS = {name: hashlib.md5(text, usedforsecurity=False).hexdigest() for name, text in TEXTS.items()}


def step(name: str, checksum: str, *, current: bool = False) -> Step:
    return Step(name[:10].replace("_", ""), f"upgrade/{name}", checksum, "INSTALLED", current)


def judged(*steps: Step) -> str:
    """Return the reason code, or nothing."""
    try:
        judge(Schema(steps, (), ()), SUMS, asked=False)
    except CheckFailed as error:
        return error.code
    return ""


def test_upgrade_scripts_are_sql_and_shell_and_stand_in_the_folder_itself(tmp_path: Path) -> None:
    folder = tmp_path / "upgrade"
    (folder / "pre_upgrade").mkdir(parents=True)
    for name, text in {**TEXTS, "pre_upgrade/0000_config.sql": b"SELECT 1;", "README": b""}.items():
        (folder / name).write_bytes(text)
    script = Script(component="ovirt-engine", command=("x",), last_script_dir="upgrade")
    assert scripts_in(tmp_path, script) == SUMS


def test_the_row_that_a_new_database_begins_with_has_no_checksum() -> None:
    assert judged(step(BEGIN, "0"), step(LAST, SUMS[LAST], current=True)) == ""


def test_an_older_database_has_run_that_script() -> None:
    older = step("03_05_0000_set_version.sql", "0")
    assert judged(older, step(BEGIN, SUMS[BEGIN]), step(LAST, SUMS[LAST], current=True)) == ""


@pytest.mark.parametrize(
    "steps",
    [
        (step(BEGIN, "0"), step(LAST, "0", current=True)),
        (step(BEGIN, ""), step(LAST, SUMS[LAST], current=True)),
        (step(BEGIN, SUMS[LAST]), step(LAST, SUMS[LAST], current=True)),
    ],
    ids=["the last as well", "nothing", "another"],
)
def test_no_other_checksum_is_excused(steps: tuple[Step, ...]) -> None:
    assert judged(*steps) == "checksum-differs"
