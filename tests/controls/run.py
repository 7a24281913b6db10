"""Negative controls: run the suite under every fault, hold the verdict against the fault's table row.

`python tests/controls/run.py [FAULT…]` runs the whole suite for each, prints a line, and for all of them writes
`acceptance/controls.json`, by which a verdict knows that a check has been seen to fail. What is run for every
change (`test_faults.py`) is shorter: what the fault disproves, what that needs, and two requirements that must
not notice.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_ovirt_release.lab.faults import BY_NAME, TABLE, Fault
from pytest_ovirt_release.record.suite import scan
from pytest_ovirt_release.release.loading import load_page
from pytest_ovirt_release.verdict.cells import all_needs
from pytest_ovirt_release.verdict.controls import digest_of
from pytest_ovirt_release.verdict.states import EXIT_CODES

if TYPE_CHECKING:
    from collections.abc import Collection

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "acceptance" / "releases" / "ovirt-3.0.toml"
CONTROLS = ROOT / "acceptance" / "controls.json"
DEADLINE = 300.0
"""Seconds that one fault's run may take."""

AT_ONCE = 2
CANARIES = ("easy-installation", "distro-builds", "binary-tarball", "source-tag")
"""Of these the first two that a fault does not concern anyway; the quickest to judge come first."""
MARK = "OVIRT_RELEASE_CONTROL"
"""By this variable a process is known to belong to a run."""

Cells = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Outcome:
    """One run of the suite: pytest's exit code, the verdict, and what was still there when it had ended."""

    code: int
    verdict: dict[str, Any]
    left: tuple[str, ...]


def run_suite(*arguments: str) -> Outcome:
    """Run the suite on a lab in a process of its own, with a scratch folder of its own."""
    with tempfile.TemporaryDirectory(prefix="controls-") as folder:
        scratch = Path(folder, "tmp")
        scratch.mkdir()
        words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:html"]
        words += ["-o", f"release_reports={folder}/reports", *arguments]
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "RELEASE_"))}
        environment |= {"TMPDIR": str(scratch), MARK: folder}
        result = subprocess.run(
            words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=DEADLINE, check=False
        )
        verdicts = [p for p in Path(folder, "reports").glob("*/verdict.json") if not p.parent.is_symlink()]
        if not verdicts:
            raise RuntimeError(f"no verdict.json: {result.stdout[-2000:]}{result.stderr[-2000:]}")
        left = [f"scratch {p.name}" for p in scratch.iterdir() if not p.name.startswith("pytest-of-")]
        left += processes(f"{MARK}={folder}")
        return Outcome(result.returncode, json.loads(verdicts[0].read_text()), tuple(left))


def processes(mark: str) -> list[str]:
    """Return the processes that were started with an environment variable."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark.encode() in (place / "environ").read_bytes().split(b"\0"):
                found.append(f"process {(place / 'cmdline').read_bytes().replace(bytes(1), b' ').decode()}")
    return found


def cells_of(verdict: dict[str, Any]) -> Cells:
    """Return every cell of a verdict, by its name."""
    return {c["id"]: {**c, "requirement": r["id"]} for r in verdict["requirements"] for c in r["cells"]}


def mistakes(fault: Fault, cells: Cells, chosen: Collection[str]) -> list[str]:
    """Return how these requirements' cells differ from what the fault's row and the page's `needs` allow."""
    found = []
    needs = all_needs(load_page(PAGE))
    hit = {d.split("[")[0] for d in fault.disproves}
    for name, cell in cells.items():
        requirement, said = cell["requirement"], f"is {cell['state']}: {cell['detail']}"
        if requirement not in chosen:
            continue
        if name in fault.disproves or requirement in fault.disproves:
            if cell["class"] != "disproven":
                found.append(f"{name} should be disproven, {said}")
            elif fault.says not in cell["detail"]:
                found.append(f"{name} should be disproven by {fault.says!r}, {said}")
        elif cell["state"] != "passed" and not (cell["state"] == "blocked" and needs[requirement] & hit):
            found.append(f"{name} should have passed, {said}")
    found += [f"{d} is no cell of the verdict" for d in fault.disproves if "[" in d and d not in cells]
    return found


def exit_code(fault: Fault, verdict: dict[str, Any]) -> int:
    """Return the exit code that a run under a fault must have: a must that is disproven is a NO-GO."""
    musts = {r["id"] for r in verdict["requirements"] if r["level"] == "must"}
    hit = {d.split("[")[0] for d in fault.disproves}
    return EXIT_CODES["NO-GO"] if musts & hit else int(verdict["exit_code"])


def write_controls(caught: dict[str, list[str]]) -> None:
    """Write controls.json: the faults each requirement's checks have caught, and the digest of their source."""
    package = ROOT / "pytest_ovirt_release"
    tests: dict[str, set[Path]] = {}
    for test in scan(ROOT / "acceptance", ROOT):
        tests.setdefault(test.requirement, set()).add(ROOT / test.test.split("::")[0])
    requirements = {
        name: {"faults": sorted(caught.get(name, [])), "digest": digest_of(files, package)}
        for name, files in sorted(tests.items())
    }
    data = {"schema": "ovirt-release-controls/1", "requirements": requirements}
    CONTROLS.write_text(json.dumps(data, indent=2) + "\n")


def selected(fault: Fault) -> set[str]:
    """Return what a short run judges: what the fault disproves, all that this needs, and two canaries."""
    hit = {d.split("[")[0] for d in fault.disproves}
    chosen = hit.union(*(all_needs(load_page(PAGE))[name] for name in hit))
    return chosen | set([name for name in CANARIES if name not in chosen][:2])


def judge(fault: Fault, *, whole: bool) -> list[str]:
    """Run the suite, or the part of it that a fault concerns; return how that went otherwise than it must."""
    suite = scan(ROOT / "acceptance", ROOT)
    chosen = {t.requirement for t in suite} if whole else selected(fault)
    tests = sorted({str(ROOT / t.test) for t in suite if t.requirement in chosen})
    ran = run_suite("--release-fault", fault.name, *([str(ROOT / "acceptance")] if whole else tests))
    found = mistakes(fault, cells_of(ran.verdict), chosen) + [f"left behind: {what}" for what in ran.left]
    if ran.code != (wanted := exit_code(fault, ran.verdict)):
        found.append(f"the exit code should be {wanted}, is {ran.code}")
    return found


def main(names: list[str]) -> int:
    """Run the named faults, or all of them; return 0 if every one was caught exactly."""
    faults = [BY_NAME[name] for name in names] or list(TABLE)
    caught: dict[str, list[str]] = {}
    failed = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        judged = pool.map(lambda fault: judge(fault, whole=True), faults)
        for fault, found in zip(faults, judged, strict=True):
            print(f"{'caught' if not found else 'NOT CAUGHT EXACTLY':<20}{fault.name}", flush=True)
            for text in found:
                print(f"    {text}", flush=True)
            failed += bool(found)
            for name in {d.split("[")[0] for d in fault.disproves} if not found else ():
                caught.setdefault(name, []).append(fault.name)
    if not names and not failed:
        write_controls(caught)
    print(f"{len(faults) - failed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
