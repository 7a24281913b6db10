"""Negative controls: run the whole suite under every fault, hold the verdict against the fault's table row.

`python tests/controls/run.py [FAULT…]` prints a line for each fault, and for all of them writes
`acceptance/controls.json`, by which a verdict knows that a check has been seen to fail.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pytest_ovirt_release.lab.faults import BY_NAME, TABLE, Fault
from pytest_ovirt_release.record.suite import scan
from pytest_ovirt_release.release.loading import load_page
from pytest_ovirt_release.verdict.cells import all_needs
from pytest_ovirt_release.verdict.controls import digest_of

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "acceptance" / "releases" / "ovirt-3.0.toml"
CONTROLS = ROOT / "acceptance" / "controls.json"
DEADLINE = 300.0
"""Seconds that one fault's run may take."""

AT_ONCE = 2

Cells = dict[str, dict[str, Any]]


def run_suite(*arguments: str) -> tuple[int, dict[str, Any]]:
    """Run the suite on a lab in a process of its own; return pytest's exit code and the verdict."""
    with tempfile.TemporaryDirectory(prefix="controls-") as folder:
        words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:html"]
        words += ["-o", f"release_reports={folder}", *arguments, str(ROOT / "acceptance")]
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "RELEASE_"))}
        result = subprocess.run(
            words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=DEADLINE, check=False
        )
        verdicts = [p for p in Path(folder).glob("*/verdict.json") if not p.parent.is_symlink()]
        if not verdicts:
            raise RuntimeError(f"no verdict.json: {result.stdout[-2000:]}{result.stderr[-2000:]}")
        return result.returncode, json.loads(verdicts[0].read_text())


def cells_of(verdict: dict[str, Any]) -> Cells:
    """Return every cell of a verdict, by its name."""
    return {c["id"]: {**c, "requirement": r["id"]} for r in verdict["requirements"] for c in r["cells"]}


def mistakes(fault: Fault, clean: Cells, broken: Cells) -> list[str]:
    """Return how a run under a fault differs from what the fault's row and the page's `needs` allow."""
    found = []
    needs = all_needs(load_page(PAGE))
    hit = {d.split("[")[0] for d in fault.disproves}
    for name, before in clean.items():
        after = broken.get(name, {"state": "gone", "class": "gone", "detail": ""})
        expected = name in fault.disproves or before["requirement"] in fault.disproves
        if expected and after["class"] != "disproven":
            found.append(f"{name} should be disproven, is {after['state']}: {after['detail']}")
        if not expected and after["state"] != before["state"]:
            lawful = after["state"] == "blocked" and needs[before["requirement"]] & hit
            if not lawful:
                found.append(f"{name} should stay {before['state']}, is {after['state']}: {after['detail']}")
    return found


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


def main(names: list[str]) -> int:
    """Run the named faults, or all of them; return 0 if every one was caught exactly."""
    faults = [BY_NAME[name] for name in names] or list(TABLE)
    _, clean_verdict = run_suite("--release-target", "lab")
    clean = cells_of(clean_verdict)
    if unproven := [n for n, c in clean.items() if c["class"] != "proven"]:
        print(f"without a fault, not proven: {', '.join(unproven)}", flush=True)
        return 1
    caught: dict[str, list[str]] = {}
    failed = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for fault, (_, verdict) in zip(
            faults, pool.map(lambda f: run_suite("--release-fault", f.name), faults), strict=True
        ):
            found = mistakes(fault, clean, cells_of(verdict))
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
