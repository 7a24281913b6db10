"""A running lab, and the suite run against it as a tester runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_ovirt_release.target.lab_process import LabProcess, start_lab

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "acceptance" / "releases" / "ovirt-3.0.toml"
LIVE = ("--release-tester", "tess", "--release-allow-changes")
DEADLINE = 240.0


@dataclass(frozen=True)
class Finished:
    """One finished pytest run of the suite."""

    code: int
    output: str
    folder: Path
    verdict: dict[str, Any]

    def states(self) -> dict[str, str]:
        """Return the state of every cell."""
        return {c["id"]: c["state"] for r in self.verdict["requirements"] for c in r["cells"]}

    def details(self) -> str:
        """Return every cell's detail, for messages."""
        cells = [c for r in self.verdict["requirements"] for c in r["cells"]]
        return "\n".join(f"{c['id']}: {c['state']}: {c['detail']}" for c in cells if c["state"] != "passed")


@dataclass(frozen=True)
class Suite:
    """Runs the acceptance suite in a process of its own, recording into a folder of the test."""

    reports: Path

    def command(self, *arguments: str) -> list[str]:
        """Return the words of one run."""
        words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:html"]
        paths = [a for a in arguments if a.startswith("acceptance")] or ["acceptance"]
        others = [a for a in arguments if not a.startswith("acceptance")]
        return [*words, "-o", f"release_reports={self.reports}", *others, *paths]

    def environment(self, **changes: str) -> dict[str, str]:
        """Return an environment without anything of the outer pytest."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "RELEASE_", "COV_"))}
        return kept | changes

    def run(self, *arguments: str, **environment: str) -> Finished:
        """Run and read what was left."""
        result = subprocess.run(
            self.command(*arguments),
            cwd=ROOT,
            env=self.environment(**environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        return self.read(result.returncode, result.stdout)

    def read(self, code: int, output: str) -> Finished:
        """Read the newest run."""
        folder = (self.reports / "latest").resolve()
        return Finished(code, output, folder, json.loads((folder / "verdict.json").read_text()))


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """The acceptance suite, recorded into this test's own folder."""
    return Suite(tmp_path / "reports")


@pytest.fixture(scope="module")
def running_lab() -> Iterator[LabProcess]:
    """A lab that stays up for all tests of a module."""
    lab = start_lab(PAGE, "20", ())
    yield lab
    lab.stop(Path(os.devnull))


@pytest.fixture(scope="module")
def release_target_text(running_lab: LabProcess) -> str:
    """The text of the lab's target file, with absolute paths."""
    from pytest_ovirt_release.target.loading import load_target  # noqa: PLC0415 - beside its use
    from pytest_ovirt_release.target.writing import target_toml  # noqa: PLC0415 - beside its use

    return target_toml(load_target(running_lab.target)).decode()
