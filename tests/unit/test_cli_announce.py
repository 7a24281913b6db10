"""`ovirt-release announce` prints the draft that a run wrote, or the same as a mail, and overwrites nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from pytest_ovirt_release import cli

EXAMPLE = Path(__file__).parents[2] / "reports" / "example" / "no-go"


def test_the_draft_is_the_runs_own() -> None:
    shown = CliRunner().invoke(cli.main, ["announce", str(EXAMPLE)])
    assert (shown.exit_code, shown.stdout) == (0, (EXAMPLE / "announcement.md").read_text(encoding="utf-8"))


def test_the_mail_is_plain_text() -> None:
    shown = CliRunner().invoke(cli.main, ["announce", str(EXAMPLE), "--mail"])
    assert (shown.exit_code, shown.stdout) == (0, (EXAMPLE / "announcement.txt").read_text(encoding="utf-8"))


def test_a_file_is_replaced_only_when_asked_to(tmp_path: Path) -> None:
    out = tmp_path / "mail.txt"
    words = ["announce", str(EXAMPLE), "--mail", "--out", str(out)]
    assert CliRunner().invoke(cli.main, words).exit_code == 0
    out.write_text("edited by hand")
    shown = CliRunner().invoke(cli.main, words)
    assert (shown.exit_code, "is there already" in shown.stderr) == (2, True)
    assert out.read_text() == "edited by hand"
    assert CliRunner().invoke(cli.main, [*words, "--force"]).exit_code == 0
    assert out.read_text(encoding="utf-8") == (EXAMPLE / "announcement.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("content", [None, "{}", "[" * 100_000, '{"schema": "ovirt-release-verdict/1"}'])
def test_what_is_no_verdict_is_announced_by_nobody(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "verdict.json").write_text(content)
    shown = CliRunner().invoke(cli.main, ["announce", str(tmp_path)])
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert "verdict.json" in shown.stderr
