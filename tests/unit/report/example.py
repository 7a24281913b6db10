"""Invented but realistic verdicts; run as a script to write `reports/example/` anew.

python tests/unit/report/example.py
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT))  # a script sees its own folder only; harmless where pytest sees it already

from pytest_ovirt_release.report import console, files  # noqa: E402 - see above
from tests.unit.report.example_beside import RUN  # noqa: E402
from tests.unit.report.example_merge import conditional  # noqa: E402
from tests.unit.report.example_parts import TROUBLE, build  # noqa: E402

if TYPE_CHECKING:
    from pytest_ovirt_release.verdict.model import Verdict

__all__ = ["FOLDER", "conditional", "go", "no_go", "write"]

FOLDER = ROOT / "reports" / "example"


def go() -> Verdict:
    """Return a rehearsal in which everything is proven."""
    return build({}, "GO")


def no_go() -> Verdict:
    """Return a rehearsal with a bit of every trouble."""
    return build(TROUBLE, "NO-GO")


def write(folder: Path) -> None:
    """Write every example with every output."""
    for verdict, where, named in (
        (go(), folder, f"reports/{RUN}"),
        (no_go(), folder / "no-go", f"reports/{RUN}"),
        (conditional(), folder / "conditional", "reports/merged"),
    ):
        files.write_all(verdict, where)
        shown = console.lines(verdict, 80, folder=named)
        files.write_text(where / "console.txt", "\n".join(line.text for line in shown) + "\n")


if __name__ == "__main__":
    write(FOLDER)
