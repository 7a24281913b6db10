"""A target on which the release's scripts may not run: the suite looks at the engine's machine instead, and runs none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lab.conftest import Suite

INSTALL = "acceptance/test_install.py"


def test_installation_is_proven_without_running_a_script(
    suite: Suite, release_target_text: str, tmp_path: Path
) -> None:
    target = tmp_path / "target.toml"
    assert "run_release_scripts = true" in release_target_text
    target.write_text(
        release_target_text.replace("run_release_scripts = true", "run_release_scripts = false")
    )
    who = ("--release-tester", "Ann", "--release-allow-changes")
    finished = suite.run(f"--release-target={target}", *who, INSTALL)
    states = finished.states()
    asked = {name: states[name] for name in ("ssl-setup", "database-creation", "easy-installation")}
    assert set(asked.values()) == {"passed"}, finished.details() + finished.output[-3000:]
    journals = "".join(p.read_text() for p in finished.folder.rglob("*.jsonl"))
    assert "schema of the engine's machine" in journals
    assert "certificates of the engine's machine" in journals
    assert "certificates of the script" not in journals
    assert "database-script-first-run" not in journals


def test_without_the_machine_too_nothing_is_proven(
    suite: Suite, release_target_text: str, tmp_path: Path
) -> None:
    target = tmp_path / "target.toml"
    text = release_target_text.replace("run_release_scripts = true", "run_release_scripts = false")
    begin = text.index("[engine.ssh]")
    end = text.index("\n[", begin + 1)
    target.write_text(text[:begin] + text[end + 1 :])
    who = ("--release-tester", "Ann", "--release-allow-changes")
    finished = suite.run(f"--release-target={target}", *who, INSTALL)
    states = finished.states()
    assert states["database-creation"] != "passed"
    assert states["ssl-setup"] != "passed"
    assert "run_release_scripts = false" in finished.details() + finished.output
