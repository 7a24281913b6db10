"""The lab as a process: it says when it is ready, ends when it should, and leaves nothing behind."""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ovirt_release.lab.faults import TABLE
from pytest_ovirt_release.lab.lifetime import descendants
from pytest_ovirt_release.release.loading import apply_overlay, load_candidate, load_overlay, load_page
from pytest_ovirt_release.target.loading import load_target

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[2] / "acceptance" / "releases" / "ovirt-3.0.toml"
READY = 60
"""Seconds: far above what a lab needs, for the machine may be busy."""


class Lab:
    """A lab's process, with a scratch folder of its own and a mark in the environment of all its children."""

    def __init__(self, scratch: Path, *words: str) -> None:
        self.mark = f"LAB_UNDER_TEST={uuid.uuid4()}"
        self.folder = scratch / "lab"
        self.temporary = scratch / "tmp"
        self.temporary.mkdir()
        name, value = self.mark.split("=")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pytest_ovirt_release.lab", "--folder", str(self.folder), *words],
            env={**os.environ, name: value, "TMPDIR": str(self.temporary)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.seen: set[int] = set()

    def ready(self) -> Path:
        """Wait for the ready line; return the target file that it names."""
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            assert selector.select(READY), "the lab did not get ready"
        line = self.process.stdout.readline().decode()
        assert line.startswith("ready "), self.ended()
        self.seen = set(descendants(self.process.pid))
        return Path(line.removeprefix("ready ").strip())

    def ended(self) -> tuple[int, str, str]:
        """Wait for the end; return exit code, the rest of stdout, stderr."""
        out, err = self.process.communicate(timeout=READY)
        return self.process.returncode, out.decode(), err.decode()

    def left_over(self) -> list[str]:
        """Return what still runs of what the lab has started."""
        marked = []
        for entry in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):
                if self.mark.encode() in entry.read_bytes():
                    marked.append(int(entry.parent.name))
        found = []
        for pid in {*marked, *self.seen}:
            with suppress(OSError):
                if command := Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" "):
                    found.append(f"{pid} {command.decode()}")
        return found

    def kill(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.communicate(timeout=READY)


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder with a short path, as sockets need, that PostgreSQL's own user can enter."""
    folder = Path(tempfile.mkdtemp(prefix="orl-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def refused(*words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "pytest_ovirt_release.lab", *words],
        capture_output=True,
        timeout=READY,
        check=False,
    )
    assert done.stdout == b""
    return done.returncode, done.stderr.decode()


def test_a_lab_is_ready_and_ends_when_asked(scratch: Path) -> None:
    lab = Lab(scratch)
    try:
        path = lab.ready()
        assert path == lab.folder / "target.toml"
        target = load_target(path)
        assert [node.name for node in target.nodes] == ["node-1", "node-2"]
        assert target.candidate is not None
        assert target.page_overlay is not None
        overlay = load_overlay(target.page_overlay)
        page = apply_overlay(load_page(PAGE), overlay, target.page_overlay)
        assert load_candidate(target.candidate).page == page.id
        assert target.engine.password_file is not None
        for secret in (target.engine.password_file, target.nodes[0].ssh.key_file):
            assert secret is not None
            assert stat.S_IMODE(secret.stat().st_mode) == 0o600
        password = target.engine.password_file.read_text().strip()
        assert lab.seen, "image daemons were expected among the lab's children"
        lab.process.send_signal(signal.SIGTERM)
        code, out, err = lab.ended()
    finally:
        lab.kill()
    assert (code, out, err) == (0, "", "")
    assert lab.left_over() == []
    assert list(lab.temporary.iterdir()) == []
    log = (lab.folder / "lab.log").read_text()
    assert "stopped" in log
    for trouble in ("left behind", "did not stop", "ERROR"):
        assert trouble not in log
    assert password not in log


def test_a_lab_ends_with_its_parent(scratch: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    lab = Lab(scratch, "--parent", str(parent.pid))
    try:
        lab.ready()
        parent.kill()
        parent.communicate(timeout=READY)
        assert lab.ended() == (0, "", "")
    finally:
        lab.kill()
        parent.kill()
        parent.communicate(timeout=READY)
    assert lab.left_over() == []
    assert "the parent process" in (lab.folder / "lab.log").read_text()


def test_a_lab_can_be_stopped_before_it_is_ready(scratch: Path) -> None:
    lab = Lab(scratch)
    try:
        end = time.monotonic() + READY
        # Its site folder shows that it has begun to build.
        while not (lab.folder / "site").exists() and time.monotonic() < end and lab.process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                lab.process.wait(0.02)
        lab.seen = set(descendants(lab.process.pid))
        lab.process.send_signal(signal.SIGINT)
        assert lab.ended() == (0, "", "")
    finally:
        lab.kill()
    assert lab.left_over() == []
    assert not (lab.folder / "target.toml").exists()


def test_an_unknown_fault_lists_those_that_are_known(tmp_path: Path) -> None:
    code, said = refused("--folder", str(tmp_path / "lab"), "--fault", "everything-burns")
    assert code == 2
    assert "everything-burns" in said
    for fault in TABLE:
        assert fault.name in said
    assert not (tmp_path / "lab").exists()


def test_a_parent_that_is_not_there_is_refused(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait(READY)
    code, said = refused("--folder", str(tmp_path / "lab"), "--parent", str(gone.pid))
    assert code == 2
    assert said == f"the lab did not start: --parent {gone.pid}: there is no such process\n"


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf"])
def test_a_clock_that_cannot_run_is_refused(tmp_path: Path, speed: str) -> None:
    code, said = refused("--folder", str(tmp_path / "lab"), "--speed", speed)
    assert code == 2
    assert "--speed" in said


def test_a_missing_page_is_one_sentence(tmp_path: Path) -> None:
    code, said = refused("--folder", str(tmp_path / "lab"), "--page", str(tmp_path / "no.toml"))
    assert code == 1
    assert said.count("\n") == 1
    assert "no.toml" in said
    assert "there is no such file" in said


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "target.toml").write_text("kept")
    code, said = refused("--folder", str(tmp_path))
    assert code == 1
    assert "name another folder" in said
    assert (tmp_path / "target.toml").read_text() == "kept"


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, said = refused("--folder", str(tmp_path / "file" / "lab"))
    assert code == 1
    assert said.startswith("the lab did not start: ")
    assert said.count("\n") == 1


def test_the_faults_can_be_listed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest_ovirt_release.lab", "--list-faults"],
        capture_output=True,
        timeout=READY,
        check=True,
    )
    for fault in TABLE:
        assert fault.name in done.stdout.decode()
