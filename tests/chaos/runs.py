"""One troubled run of the smoke tests, what cleans up after it, and what is then left."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ovirt_release.verdict import recompute

if TYPE_CHECKING:
    from tests.chaos.ground import Ground, Seen

ROOT = Path(__file__).parents[2]
DEADLINE = 300.0
"""Seconds that one run, or its reaper, may take."""
DOMAIN = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
KILLS = ("kill-worker", "kill-controller", "kill-both")
OUTAGES = ("engine-away", "engine-silent", "node-reboots", "node-hangs", "log-out", "drop-ssh")


@dataclass(frozen=True)
class Trouble:
    """What happens, and at which point (`worker: before POST /disks #1`)."""

    do: str
    point: str

    def __str__(self) -> str:
        return f"{self.do} at {self.point}"


@dataclass(frozen=True)
class Ended:
    """How it ended: whether the point was reached, the verdict, what differs from before, what the run names."""

    happened: bool
    verdict: str
    differs: tuple[Seen, ...]
    named: tuple[str, ...]
    points: tuple[str, ...]
    said: str
    seconds: float

    @property
    def wrong(self) -> str:
        """Why this must not be; empty when all is well."""
        if self.verdict in {"GO", "GO-CONDITIONAL"}:
            return f"the verdict is {self.verdict}"
        unnamed = [seen for seen in self.differs if not any(_speaks_of(name, seen) for name in self.named)]
        return f"left and not named: {unnamed}; named: {self.named}" if unnamed else ""


def _speaks_of(name: str, seen: Seen) -> bool:
    """Return whether a sentence names this: by its name, or a file by the id of the domain that it is part of."""
    if seen[0] == "file":
        return any(found in name for found in DOMAIN.findall(seen[1]))
    return any(part and part in name for part in seen[1:])


def run_with(ground: Ground, trouble: Trouble | None, workers: int = 1) -> Ended:
    """Run the smoke tests with one trouble, reap what is left, and look."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="chaos-") as scratch:
        folder = Path(scratch)
        notes = folder / "notes"
        process = _started(ground, trouble, folder, workers)
        try:
            _watch(ground, process, notes)
            # Not until its output ends: workers may outlive their controller, and the reaper must cope with that.
            process.wait(DEADLINE)
            run = (folder / "reports" / "latest").resolve()
            said = _reap(run)
        finally:
            _end_session(process)
        said = (folder / "output").read_text() + said
        verdict = recompute.recompute(run)
        named = tuple(r.detail for r in verdict.reasons) + _open(run)
        differs = tuple(ground.restored())
        points = tuple(notes.read_text().splitlines()) if notes.exists() else ()
        happened = trouble is None or Path(f"{notes}.fired").exists()
        return Ended(happened, str(verdict.verdict), differs, named, points, said, time.monotonic() - began)


def _started(ground: Ground, trouble: Trouble | None, folder: Path, workers: int) -> subprocess.Popen[bytes]:
    (folder / "target.toml").write_text(ground.target)
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:html"]
    # Neither a plugin that is not needed, nor tidying up after other runs of pytest.
    words += ["-p", "no:hypothesispytest", "--basetemp", str(folder / "tmp")]
    words += ["-p", "tests.chaos.points", "-n", str(workers), "-o", f"release_reports={folder / 'reports'}"]
    words += ["--release-target", str(folder / "target.toml"), "--release-tester", "chaos"]
    words += ["--release-allow-changes", "acceptance/test_smoke.py"]
    kept = _environment() | {"CHAOS_NOTES": str(folder / "notes")}
    if trouble is not None:
        kept |= {"CHAOS_POINT": trouble.point, "CHAOS_DO": trouble.do}
    with (folder / "output").open("wb") as output:
        return subprocess.Popen(
            words, cwd=ROOT, env=kept, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )


def _environment() -> dict[str, str]:
    """Return ours without what other runs of pytest are told; many processes must not compile everything anew."""
    not_ours = ("PYTEST_", "RELEASE_", "CHAOS_", "PYTHONDONTWRITEBYTECODE")
    return {k: v for k, v in os.environ.items() if not k.startswith(not_ours)}


def _watch(ground: Ground, process: subprocess.Popen[bytes], notes: Path) -> None:
    """Let an outage begin when the run says that its point is reached."""
    fired, end = Path(f"{notes}.fired"), time.monotonic() + DEADLINE
    while process.poll() is None and time.monotonic() < end:
        if fired.exists() and (do := fired.read_text()):
            if do in OUTAGES and do not in {"log-out", "drop-ssh"}:
                ground.trouble(do)
            Path(f"{notes}.done").touch()
            return
        time.sleep(0.02)


def _end_session(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)


def _reap(run: Path) -> str:
    """Do what a tester does after a run that was killed, until it is through or says that it cannot."""
    words = [str(Path(sys.executable).parent / "ovirt-release"), "reap", str(run)]
    said = ""
    for _ in range(20):
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=DEADLINE, check=False, env=_environment()
        )
        said += done.stdout + done.stderr
        if "still alive" not in done.stderr:
            break
        time.sleep(1)
    return said


def _open(run: Path) -> tuple[str, ...]:
    """Return what the ledger still names, with the engine's words."""
    removed: set[str] = set()
    meant: dict[str, str] = {}
    for path in (run / "journal").glob("*.jsonl"):
        for line in path.read_bytes().split(b"\n")[:-1]:
            record = json.loads(line)
            if record["kind"] == "intent":
                meant[record["entry"]] = f"{record['what']} {record['name']}"
            elif record["kind"] == "removed":
                removed.add(record["entry"])
    return tuple(name for key, name in meant.items() if key not in removed)
