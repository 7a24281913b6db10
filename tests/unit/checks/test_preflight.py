"""What preflight finds, what it blocks, and that nobody who does not answer holds it up."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ovirt_release.checks.node import Result
from pytest_ovirt_release.checks.preflight import Finding, Gate, blocking, findings, gate, look
from pytest_ovirt_release.checks.preflight.findings import Folder
from pytest_ovirt_release.checks.preflight.gate import needs_of
from pytest_ovirt_release.checks.preflight.machine_probe import EXPORT_SCRIPT, FOLDER_SCRIPT
from pytest_ovirt_release.checks.preflight.probe import Asked
from pytest_ovirt_release.checks.stages import STAGES
from pytest_ovirt_release.errors import Blocked
from pytest_ovirt_release.target.model import Target
from tests.unit.checks.fake_engine import FakeEngine
from tests.unit.checks.small_engine import make_ca
from tests.unit.checks.test_cycle import TARGET

NFS, LOCAL = TARGET.nodes
GOOD = Folder(36, 36, 0o755, 50 * 1024**3, ())


def wrong(*blocks: str) -> Finding:
    return Finding("it", "wrong", "it is broken", "mend it", blocks)


@pytest.mark.parametrize(
    ("theirs", "state"), [(1000.0, "works"), (1059, "works"), (1065, "wrong"), (930, "wrong")]
)
def test_clocks_that_differ_are_told(theirs: float, state: str) -> None:
    found = findings.clock("engine clock", theirs, 1000, 1001, ("engine",))
    assert found.state == state
    if state == "wrong":
        assert ("ahead of" in found.sentence) == (theirs > 1000)
        assert found.blocks == ("engine",)


@given(theirs=st.floats(0, 4e9), before=st.floats(0, 4e9), took=st.floats(0, 30))
def test_a_slow_answer_never_makes_a_right_clock_wrong(theirs: float, before: float, took: float) -> None:
    found = findings.clock("x", theirs, before, before + took, ())
    distance = min(abs(theirs - before), abs(theirs - before - took))
    inside = before <= theirs <= before + took
    assert (found.state == "wrong") == (not inside and distance > findings.LARGEST_SKEW)


@pytest.mark.parametrize(
    ("found", "wanted", "state"),
    [
        ("4.5.7-1.el9", "4.5.7", "works"),
        ("4.5.7-0.0.master.20260819.el9", "4.5.7", "works"),
        ("4.5.0", "4.5", "works"),
        ("4.5.6-1.el9", "4.5.7", "wrong"),
        ("4.5.70-1.el9", "4.5.7", "wrong"),
        ("unknown", "4.5.7", "not seen"),
    ],
)
def test_another_version_than_the_candidate_s_is_wrong(found: str, wanted: str, state: str) -> None:
    assert findings.installed("engine version", found, wanted, ("engine",)).state == state


def test_a_node_that_the_engine_knows_is_told_and_blocks_nothing_here() -> None:
    engine = FakeEngine()
    assert findings.node_unknown("node-1", "127.0.0.2", engine.hosts.list()).state == "works"
    engine.host(status="pending_approval")
    assert findings.node_unknown("node-1", "127.0.0.2", engine.hosts.list()).state == "works"
    engine.host(status="up")
    known = findings.node_unknown("node-1", "127.0.0.2", engine.hosts.list())
    assert (known.state, known.blocks) == ("not seen", ())
    assert "node cells will be blocked" in known.sentence


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        (replace(GOOD, names=("lost+found",)), "is not empty: it holds lost+found"),
        (replace(GOOD, uid=0, gid=0), "cannot write there"),
        (replace(GOOD, mode=0o555), "cannot write there"),
        (replace(GOOD, uid=0, gid=36, mode=0o755), "cannot write there"),
        (replace(GOOD, free=5 * 1024**3), "5.0 GiB free"),
    ],
    ids=["not empty", "of root", "read-only", "of the group", "full"],
)
def test_a_folder_that_does_not_fit_says_why(folder: Folder, words: str) -> None:
    found = findings.folder_fits("storage nfs", "nfs:/export", folder, ("storage nfs",))
    assert (found.state, found.blocks) == ("wrong", ("storage nfs",))
    assert words in found.sentence
    assert found.todo


@pytest.mark.parametrize(
    "folder",
    [GOOD, replace(GOOD, uid=0, gid=36, mode=0o775), replace(GOOD, uid=0, gid=0, mode=0o777)],
    ids=["owner", "group", "everybody"],
)
def test_a_folder_that_vdsm_can_write_fits(folder: Folder) -> None:
    assert findings.folder_fits("x", "/data", folder, ()).state == "works"


@given(text=st.text(max_size=60))
def test_any_answer_of_a_node_is_a_folder_or_none(text: str) -> None:
    findings.read_folder(Result((), 0, text, "", 0.0))


def tools(folder: Path, **scripts: str) -> dict[str, str]:
    """Return an environment in which some programs are ours: mount needs a server, setpriv needs root."""
    for name, text in scripts.items():
        path = folder / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "LC_ALL": "C"}


SETPRIV = 'while [ "${1#--}" != "$1" ]; do shift; done; exec "$@"'


def run_script(script: str, *words: object, env: dict[str, str]) -> Result:
    done = subprocess.run(
        ["sh", "-c", script, "sh", *map(str, words)],
        env=env,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    return Result((), done.returncode, done.stdout, done.stderr, 0.0)


def test_the_script_that_looks_at_a_folder_tells_what_is_there(tmp_path: Path) -> None:
    env = tools(tmp_path, setpriv=SETPRIV)
    export = tmp_path / "-a 'folder'; rm -rf x"
    export.mkdir(mode=0o750)
    empty = findings.read_folder(run_script(FOLDER_SCRIPT, export, env=env))
    assert empty is not None
    assert (empty.uid, empty.mode, empty.names) == (os.getuid(), 0o750, ())
    assert empty.free > 0
    (export / ".hidden").touch()
    full = findings.read_folder(run_script(FOLDER_SCRIPT, export, env=env))
    assert full is not None
    assert full.names == (".hidden",)
    env = tools(tmp_path, setpriv="echo 'ls: cannot open directory: Permission denied' >&2; exit 2")
    assert findings.read_folder(run_script(FOLDER_SCRIPT, export, env=env)) is None, "unread is not empty"
    env = tools(tmp_path, setpriv=SETPRIV)
    missing = run_script(FOLDER_SCRIPT, tmp_path / "none", env=env)
    assert findings.read_folder(missing) is None
    assert "No such file" in missing.stderr


def test_an_export_that_cannot_be_mounted_is_told_from_one_that_is_full(tmp_path: Path) -> None:
    export = tmp_path / "mnt"
    export.mkdir()
    env = tools(tmp_path, setpriv=SETPRIV, mount=f'printf "%s\\n" "$@" > {tmp_path}/asked')
    found = findings.read_folder(run_script(EXPORT_SCRIPT, export, "ro,soft", "nfs:/x y", env=env))
    assert found is not None
    assert (tmp_path / "asked").read_text().splitlines() == [
        "-t",
        "nfs",
        "-o",
        "ro,soft",
        "--",
        "nfs:/x y",
        str(export),
    ]
    env = tools(tmp_path, mount='echo "mount.nfs: access denied" >&2; exit 32')
    refused = run_script(EXPORT_SCRIPT, export, "ro,soft", "nfs:/x", env=env)
    assert (refused.status, refused.stdout) == (3, "")


def test_only_what_needs_it_is_blocked() -> None:
    broken = {
        "engine": {(s, n) for s in STAGES for n in (NFS, LOCAL)},
        "node node-1": {(s, NFS) for s in STAGES},
        "node node-2": {(s, LOCAL) for s in STAGES},
        "storage nfs": {("storage", NFS)},
        "storage local": {("storage", LOCAL)},
    }
    for key, wanted in broken.items():
        hit = {(s, n) for s in STAGES for n in (NFS, LOCAL) if blocking([wrong(key)], needs_of(s, n))}
        assert hit == wanted, key
    assert not blocking([replace(wrong("engine"), state="not seen")], ("engine",))


def test_preflight_runs_once_for_all_processes_and_blocks_with_its_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Asked] = []

    def stand_in(asked: Asked) -> tuple[Finding, ...]:
        looked.append(asked)
        return (wrong("storage nfs"), Finding("engine TLS", "works", "fine"))

    monkeypatch.setattr(gate, "look", stand_in)
    told: list[Finding] = []
    asked = Asked(TARGET, lambda *_: None)
    first, second = (Gate(asked, tmp_path, told.append) for _ in range(2))
    first("registered", NFS)
    with pytest.raises(Blocked, match=r"preflight: it: it is broken; mend it") as caught:
        second("storage", NFS)
    assert caught.value.on == "vm-on-nfs"
    second("storage", LOCAL)
    assert len(looked) == 1
    assert [f.what for f in told] == ["it", "engine TLS"]


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that accepts connections and never says a word."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=50)) as server:
        yield int(server.getsockname()[1])


def unreachable_target(folder: Path, port: int) -> Target:
    _, ca = make_ca(folder)
    (folder / "password").write_text("right\n")
    data = TARGET.model_dump(by_alias=True)
    data["engine"] |= {
        "url": f"https://127.0.0.1:{port}/ovirt-engine/api",
        "ca_file": ca,
        "password_env": None,
        "password_file": folder / "password",
    }
    for node in data["nodes"]:
        node["ssh"] |= {"address": "127.0.0.1", "port": port, "key_file": folder / "password"}
    return Target.model_validate(data)


def test_machines_that_never_answer_do_not_hold_it_up(tmp_path: Path, silent: int) -> None:
    target = unreachable_target(tmp_path, silent)
    asked = Asked(target, lambda *_: None, places=(("git", f"http://127.0.0.1:{silent}/x"),))
    start = time.monotonic()
    found = look(asked)
    assert time.monotonic() - start < 10
    assert {f.what: f.state for f in found} == {
        "engine TLS": "wrong",
        "node node-1 SSH": "wrong",
        "node node-2 SSH": "wrong",
        "git": "works",
    }
    assert all(f.todo for f in found if f.state == "wrong")


def test_a_probe_that_hangs_is_told_as_late(
    tmp_path: Path, silent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = threading.Event()
    monkeypatch.setattr(
        "pytest_ovirt_release.checks.preflight.looking.look_at_engine", lambda _: never.wait(30)
    )
    asked = Asked(unreachable_target(tmp_path, silent), lambda *_: None, seconds=0.2, total=0.5)
    start = time.monotonic()
    found = look(asked)
    never.set()
    assert time.monotonic() - start < 3
    assert found[0] == Finding(
        "engine", "wrong", "it did not answer within 0.5 s", "check address, route and firewall", ("engine",)
    )
