"""What the plugin costs where it is not used, what recording costs, and how long verdicts of many runs take.

Every figure but the seconds of `merge` is a ratio of two commands that ran in turns. Nothing fails here: a busy
machine must not break a build. Run it by `nox -s bench`, or `nox -s bench -- --quick`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench import made
from bench.ratios import Arm, Line, Took, environment, in_turns, least, ratio, run_once

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
WITHOUT = ("-p", "no:ovirt_release")
LIVE = ("--release-target", "target.toml", "--release-tester", "bench", "--release-allow-changes")
OVIRT_RELEASE = (
    sys.executable,
    "-c",
    "import sys; from pytest_ovirt_release.cli import main; sys.exit(main())",
)
GO, INCOMPLETE, GO_CONDITIONAL = 0, 10, 11
RUN = made.Size(10, 5)
"""50 cells."""
LARGE_RUN = made.Size(50, 40)
"""2,000 cells."""

PLAIN_READER = """
import gzip, json, sys, tarfile
kept = []
for path in sys.argv[1:]:
    with tarfile.open(path, "r:gz") as tar:
        for member in tar:
            data = tar.extractfile(member).read()
            if member.name.endswith(".jsonl"):
                kept.append([json.loads(line) for line in data.splitlines()])
"""
"""The least that a merge could do: unpack the same bundles and hold their records in memory, all believed."""


@dataclass(frozen=True)
class Amounts:
    """How much is measured, and how often: what takes no second can be repeated until chance is ruled out."""

    listed: int = 1000
    unmarked: int = 10_000
    marked: int = 500
    bundles: int = 1000
    often: int = 40
    seldom: int = 3


QUICK = Amounts(listed=1000, unmarked=1000, marked=100, bundles=100, often=10, seldom=2)


def main() -> None:
    """Print one line for each budget as soon as it is measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="smaller, less exact, in less than a minute")
    quick = parser.parse_args().quick
    amounts = QUICK if quick else Amounts()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        root = Path(name)
        env = environment(root / "bytecode")
        for measure in (_unused, _recording, _merging, _one_large_run):
            for line in measure(amounts, root, env):
                print(line, flush=True)
    if quick:
        print("quick: budgets for more than this are not shown; a run's fixed cost weighs more here")


def _ratio(what: str, dear: Sequence[Took], cheap: Sequence[Took], budget: float | None = None) -> Line:
    of_cpu = ratio([t.cpu for t in dear], [t.cpu for t in cheap])
    more = f"{least(dear).seconds:.2f} s : {least(cheap).seconds:.2f} s; CPU {of_cpu:.3f} x"
    return Line(what, ratio([t.seconds for t in dear], [t.seconds for t in cheap]), "x", budget, more)


def _unused(amounts: Amounts, root: Path, env: Mapping[str, str]) -> Iterator[Line]:
    """Yield what it costs to have the plugin installed and not to use it."""
    folder = made.bare_project(root / "unused", amounts.listed)
    arms = {
        "without": Arm((*PYTEST, "--co", *WITHOUT), folder),
        "with": Arm((*PYTEST, "--co"), folder),
    }
    took = in_turns(arms, amounts.often, env)
    yield _ratio(f"plugin unused: pytest --co of {amounts.listed} tests", took["with"], took["without"], 1.02)
    imports = [_import_seconds(env) for _ in range(amounts.often)]
    what = "plugin unused: its import, of the whole pytest --co"
    yield Line(
        what, min(imports) / least(took["without"]).seconds, "x", None, f"{min(imports) * 1000:.1f} ms"
    )


def _import_seconds(env: Mapping[str, str]) -> float:
    """Return how long the plugin's import takes where pytest is imported already."""
    command = (sys.executable, "-X", "importtime", "-c", "import pytest, pytest_ovirt_release.plugin")
    told = subprocess.run(command, env=env, check=True, capture_output=True, text=True).stderr.splitlines()
    (line,) = (line for line in told if line.endswith(" pytest_ovirt_release.plugin"))
    return int(line.split("|")[1]) / 1e6


def _recording(amounts: Amounts, root: Path, env: Mapping[str, str]) -> Iterator[Line]:
    """Yield what it costs to record a run and to judge it, of tests that do nothing themselves."""
    none = in_turns(_release_and_bare(root / "one", 1), 3 * amounts.seldom, env)
    one = {name: least(found) for name, found in none.items()}
    fixed = one["release"].seconds - one["bare"].seconds
    yield Line("release mode: fixed cost of a run, however many tests", fixed, "s")
    kinds = ((amounts.unmarked, False, amounts.seldom), (amounts.marked, True, amounts.seldom + 1))
    for count, marked, times in kinds:
        for workers in (0, 2):
            arms = _release_and_bare(root / f"{count}-{workers}", count, marked=marked, workers=workers)
            took = in_turns(arms, times, env)
            what = f"{count} {'marked' if marked else 'unmarked'} tests in release mode, -n{workers}"
            budget = 1.05 if count == Amounts.unmarked and not marked else None
            yield _ratio(what, took["release"], took["bare"], budget)
            if not workers:
                release, bare = (least(took[name]).cpu - one[name].cpu for name in ("release", "bare"))
                more = f"{(release - bare) / count * 1e6:.0f} us a test"
                yield Line("  the same without the fixed cost, CPU", release / bare, "x", None, more)


def _release_and_bare(root: Path, count: int, *, marked: bool = False, workers: int = 0) -> dict[str, Arm]:
    """Return the same tests in a release project, and in one that knows nothing of the plugin."""
    command = (*PYTEST, "-n", str(workers))
    bare = made.bare_project(root / "bare", count)
    release = made.release_project(root / "release", count, marked=marked)
    return {
        "bare": Arm((*command, *WITHOUT), bare),
        "release": Arm(
            (*command, *LIVE),
            release,
            GO_CONDITIONAL if marked else INCOMPLETE,
            lambda: shutil.rmtree(release / "reports"),
        ),
    }


def _merging(amounts: Amounts, root: Path, env: Mapping[str, str]) -> Iterator[Line]:
    """Yield how long it takes to join many runs, and what memory it takes."""
    count, budget = amounts.bundles, 5.0 if amounts.bundles == Amounts.bundles else None
    paths = [str(path) for path in made.bundles(root / "bundles", count, RUN)]
    out = root / "merged"
    merge = (*OVIRT_RELEASE, "merge")
    arms = {
        "reader": Arm((sys.executable, "-c", PLAIN_READER, *paths), root),
        "merge": Arm((*merge, *paths), root),
        "out": Arm((*merge, *paths, "--out", str(out)), root, after=lambda: shutil.rmtree(out)),
    }
    took = {name: least(found) for name, found in in_turns(arms, amounts.seldom, env).items()}
    for what, arm in ((f"merge of {count} bundles x 50 cells", "merge"), ("  the same with --out", "out")):
        beside = took[arm].cpu / took["reader"].cpu
        more = f"CPU {took[arm].cpu:.2f} s, {beside:.2f} x just reading them; peak {took[arm].peak:.0f} MiB"
        yield Line(what, took[arm].seconds, "s", budget if arm == "merge" else None, more)
    peaks = [run_once(Arm((*merge, *paths[:n]), root), env).peak for n in (count // 4, count // 2, count)]
    growth = (peaks[2] - peaks[1]) / (peaks[1] - peaks[0])
    told = " ".join(f"{peak:.0f}" for peak in peaks)
    what = f"  memory growth from {count // 2} to {count} : from {count // 4} to {count // 2}"
    yield Line(what, growth, "x", 2.1, f"linear is 2; peaks {told} MiB")


def _one_large_run(amounts: Amounts, root: Path, env: Mapping[str, str]) -> Iterator[Line]:
    """Yield how long the verdict of one large run takes."""
    folder = made.run_folder(root / "large", LARGE_RUN)
    took = in_turns({"verdict": Arm((*OVIRT_RELEASE, "verdict", str(folder)), root)}, amounts.seldom, env)
    yield Line("verdict of one run with 2,000 cells", least(took["verdict"]).seconds, "s")


if __name__ == "__main__":
    main()
