"""Invented but realistic verdicts; run as a script to write `reports/example/` anew.

python tests/unit/report/example.py
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT))  # a script sees its own folder only; harmless where pytest sees it already

from pytest_ovirt_release.report import console, files, github, mail  # noqa: E402 - see above
from pytest_ovirt_release.report.before import compared  # noqa: E402
from tests.unit.report.example_beside import RUN, sha  # noqa: E402
from tests.unit.report.example_merge import conditional  # noqa: E402
from tests.unit.report.example_parts import TROUBLE, build  # noqa: E402

if TYPE_CHECKING:
    from pytest_ovirt_release.verdict.model import Verdict

__all__ = ["FOLDER", "conditional", "go", "no_go", "previous", "write"]

FOLDER = ROOT / "reports" / "example"


def go() -> Verdict:
    """Return a rehearsal in which everything is proven."""
    return build({}, "GO")


def no_go() -> Verdict:
    """Return a rehearsal with a bit of every trouble."""
    return build(TROUBLE, "NO-GO")


def previous() -> Verdict:
    """Return the verdict of the candidate before: the NO-GO, judged two days earlier."""
    old = no_go()
    assert old.candidate is not None
    candidate = old.candidate.model_copy(update={"rc": "rc0", "sha256": sha("candidate before")})
    return old.model_copy(update={"candidate": candidate, "as_of": "2026-11-20T17:02:11+00:00"})


def write(folder: Path) -> None:
    """Write every example with every output."""
    merged = conditional()
    for verdict, where, named, before in (
        (go(), folder, f"reports/{RUN}", None),
        (no_go(), folder / "no-go", f"reports/{RUN}", None),
        (merged, folder / "conditional", "reports/merged", compared(previous(), merged)),
    ):
        files.write_all(verdict, where, before)
        shown = console.lines(verdict, 80, folder=named)
        files.write_text(where / "console.txt", "\n".join(line.text for line in shown) + "\n")
        files.write_text(where / "announcement.txt", mail.render(verdict))
        files.write_text(
            where / "github-annotations.txt", "\n".join(github.workflow_commands(verdict)) + "\n"
        )
        files.write_text(where / "github-summary.md", github.summary(verdict))


if __name__ == "__main__":
    write(FOLDER)
