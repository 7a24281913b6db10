"""Every finding of preflight about machines and storage, on a lab's nodes: seen to work, and seen to fail."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_ovirt_release.checks.node import Remote
from pytest_ovirt_release.checks.preflight import Finding, look
from pytest_ovirt_release.checks.preflight.probe import Asked
from pytest_ovirt_release.target.lab_process import LabProcess
from pytest_ovirt_release.target.loading import load_target
from pytest_ovirt_release.target.model import Target

NFS, LOCAL = Path("nfs", "exports", "data"), Path("node-2", "root", "data", "local")
FULL = 60 * 1024**3
"""Bytes of a file with a hole in it, that leave less than a lab's file system needs."""


@pytest.fixture
def target(running_lab: LabProcess) -> Target:
    return load_target(running_lab.target)


def findings(target: Target, **versions: str) -> dict[str, Finding]:
    """Return what preflight finds, by what it is about."""
    found = look(Asked(target, lambda *_: None, seconds=20, total=40, versions=versions))
    return {finding.what: finding for finding in found}


def run(target: Target, number: int, *words: str) -> None:
    """Run a command on a node."""
    ssh = target.nodes[number].ssh
    with Remote(ssh, name="node", met=lambda *_: None, seconds=20) as remote:
        assert remote.run(words).ok


def test_a_healthy_lab_works_in_every_finding_and_nothing_is_changed(
    running_lab: LabProcess, target: Target
) -> None:
    before = stamps(running_lab.folder)
    found = findings(target, vdsm="4.50.7")
    assert {str(finding) for finding in found.values() if finding.state != "works"} == set()
    seen = {"engine machine clock", "storage nfs", "node node-2 local_path"}
    assert seen | {f"node {n} {what}" for n in ("node-1", "node-2") for what in ("clock", "vdsm")} <= set(
        found
    )
    for what in ("node node-2 local_path", "storage nfs"):
        assert "is empty, writable for vdsm, 6" in found[what].sentence
    assert stamps(running_lab.folder) == before


def stamps(folder: Path) -> dict[Path, int]:
    """Return when each thing was changed on the export and on the node that does nothing by itself."""
    places = (folder / "node-2" / "root", folder / "nfs")
    return {path: path.stat().st_mtime_ns for place in places for path in (place, *place.rglob("*"))}


@pytest.fixture
def spoil(running_lab: LabProcess, target: Target) -> Iterator[Callable[[str], None]]:
    """Let one thing be wrong for a while."""
    folder, undo = running_lab.folder, list[Callable[[], object]]()

    def filler(path: Path) -> None:
        with path.open("wb") as file:
            file.truncate(FULL)
        undo.append(path.unlink)

    def begin(what: str) -> None:
        match what.split(" ", 1):
            case ["holds", place]:
                path = folder / place / "somebody's"
                path.touch()
                undo.append(path.unlink)
            case ["read-only", place]:
                (folder / place).chmod(0o555)
                undo.append(lambda: (folder / place).chmod(0o755))
            case ["closed", place]:
                (folder / place).chmod(0o055)
                undo.append(lambda: (folder / place).chmod(0o755))
            case ["full", place]:
                filler(folder / Path(place).parent / "filler")
            case ["away", place]:
                (folder / place).rename(folder / f"{place}.away")
                undo.append(lambda: (folder / f"{place}.away").rename(folder / place))
            case ["cut", _]:
                rule = ("OUTPUT", "-p", "tcp", "--dport", "2049", "-j", "DROP")
                run(target, 0, "iptables", "-A", *rule)
                undo.append(lambda: run(target, 0, "iptables", "-D", *rule))
            case _:
                number = int(what.split()[1])
                run(target, number, "date", "-s", f"@{int(time.time()) + int(what.split()[2])}")
                undo.append(lambda: run(target, number, "date", "-s", f"@{int(time.time())}"))

    yield begin
    for act in undo:
        act()


@pytest.mark.parametrize(
    ("how", "what", "words"),
    [
        (f"holds {NFS}", "storage nfs", "is not empty: it holds somebody's"),
        (
            f"read-only {NFS}",
            "storage nfs",
            "belongs to 36:36 with mode 0555: vdsm (36:36) cannot write there",
        ),
        (f"full {NFS}", "storage nfs", "GiB free; an engine refuses disks below 5 GiB"),
        (f"away {NFS}", "storage nfs", "node-1 cannot mount 127.0.0.1:/exports/data"),
        ("cut nfs", "storage nfs", "node-1 cannot mount 127.0.0.1:/exports/data"),
        (f"holds {LOCAL}", "node node-2 local_path", "is not empty: it holds somebody's"),
        (f"read-only {LOCAL}", "node node-2 local_path", "vdsm (36:36) cannot write there"),
        (f"closed {LOCAL}", "node node-2 local_path", "vdsm cannot read /data/local"),
        (f"full {LOCAL}", "node node-2 local_path", "GiB free; an engine refuses disks below 5 GiB"),
        (f"away {LOCAL}", "node node-2 local_path", "there is no /data/local"),
        ("clock 0 -3600", "node node-1 clock", "s behind this machine's"),
        ("clock 1 3600", "node node-2 clock", "s ahead of this machine's"),
    ],
)
def test_what_is_wrong_is_found_alone(
    target: Target, spoil: Callable[[str], None], how: str, what: str, words: str
) -> None:
    spoil(how)
    found = findings(target)
    assert [name for name, finding in found.items() if finding.state == "wrong"] == [what]
    assert words in str(found[what])
    assert found[what].todo
    assert found[what].blocks


def test_another_vdsm_than_the_candidate_s_is_found_on_every_node(target: Target) -> None:
    found = findings(target, vdsm="4.40.1")
    assert {name for name, finding in found.items() if finding.state == "wrong"} == {
        "node node-1 vdsm",
        "node node-2 vdsm",
    }
    assert "but the candidate is 4.40.1" in str(found["node node-1 vdsm"])
