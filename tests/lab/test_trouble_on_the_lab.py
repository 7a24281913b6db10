"""Trouble on the way to the engine: one clear message, never GO, nothing left running."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pytest_ovirt_release.target.lab_process import LabProcess
from tests.lab.conftest import LIVE, ROOT, Finished, Suite

NODE = "acceptance/test_node.py::test_node_registers"


def run_on(suite: Suite, target: str, tmp_path: Path, *arguments: str, **environment: str) -> Finished:
    """Run the suite on a hand-written target file."""
    path = tmp_path / "target.toml"
    path.write_text(target)
    return suite.run("--release-target", str(path), *LIVE, *arguments, **environment)


def test_a_handwritten_target_that_points_at_a_lab_is_a_rehearsal_all_the_same(
    suite: Suite, release_target_text: str, tmp_path: Path
) -> None:
    text = release_target_text.replace('name = "lab"', 'name = "staging"', 1)
    finished = run_on(
        suite, text, tmp_path, "acceptance/test_install.py::test_engine_certificate_is_verified_by_its_ca"
    )
    assert finished.verdict["rehearsal"] is True
    assert "REHEARSAL" in finished.output.strip().splitlines()[-1]
    assert finished.verdict["runs"][0]["brands"]


def test_a_wrong_password(suite: Suite, release_target_text: str, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.password"
    wrong.write_text("not the password")
    wrong.chmod(0o600)
    text = re.sub(
        r'password_file = "[^"]*engine.password"', f'password_file = "{wrong}"', release_target_text
    )
    finished = run_on(suite, text, tmp_path, NODE)
    assert finished.verdict["verdict"] == "INCOMPLETE"
    assert "password" in finished.details()
    assert "not the password" not in finished.output


def test_a_wrong_ca(suite: Suite, release_target_text: str, tmp_path: Path) -> None:
    other = tmp_path / "other-ca.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(tmp_path / "k"), "-out", str(other),
         "-subj", "/CN=stranger", "-days", "2"],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    text = re.sub(r'ca_file = "[^"]*"', f'ca_file = "{other}"', release_target_text)
    finished = run_on(suite, text, tmp_path, NODE, "acceptance/test_install.py")
    assert finished.verdict["verdict"] == "NO-GO"
    states = finished.states()
    assert states["ssl-setup"] == "failed"
    assert {states["node-registers[node-1]"], states["node-registers[node-2]"]} == {"blocked"}


def test_a_changed_host_key(suite: Suite, release_target_text: str, tmp_path: Path) -> None:
    keys = re.findall(r'host_key = "([^"]+)"', release_target_text)
    text = release_target_text.replace(keys[-1], keys[0])
    finished = run_on(suite, text, tmp_path, f"{NODE}[node-2]")
    assert finished.verdict["verdict"] in {"NO-GO", "INCOMPLETE"}
    assert "host key" in finished.details()


def test_a_closed_port(suite: Suite, release_target_text: str, tmp_path: Path) -> None:
    text = re.sub(r'url = "https://127.0.0.1:\d+/', 'url = "https://127.0.0.1:9/', release_target_text)
    finished = run_on(suite, text, tmp_path, NODE)
    assert finished.verdict["verdict"] == "INCOMPLETE"
    assert "127.0.0.1:9" in finished.details() + finished.output


@pytest.mark.parametrize("tool", ["gpg", "git"])
def test_a_missing_tool_is_named(suite: Suite, release_target_text: str, tmp_path: Path, tool: str) -> None:
    path = tmp_path / "bin"
    path.mkdir()
    for name in {"gpg", "git", "openssl", "bash", "sh"} - {tool}:
        (path / name).symlink_to(shutil.which(name) or "/bin/false")
    finished = run_on(
        suite, release_target_text, tmp_path, "acceptance/test_source.py", "-k", "vdsm", PATH=str(path)
    )
    # Without gpg nothing of the lab was recognised, so its overlay makes the run INVALID: that is lawful too.
    assert finished.verdict["verdict"] in {"INCOMPLETE", "NO-GO", "INVALID"}
    assert f"{tool} is not installed" in finished.details()


def ours(*markers: str) -> list[str]:
    """Return the command lines of living processes that name the lab's folder or its parent."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if any(marker in words for marker in markers) and str(os.getpid()) != path.parent.name:
            found.append(words)
    return found


def gone(folder: str, parent: int, seconds: float = 20) -> list[str]:
    """Wait until no process names the lab's folder or parent any more; return those that still do."""
    end = time.monotonic() + seconds
    while (left := ours(folder, f"--parent {parent}")) and time.monotonic() < end:
        time.sleep(0.1)
    return left


def started(suite: Suite, *arguments: str) -> tuple[subprocess.Popen[str], str]:
    """Start the suite on a lab of its own; return the process and the lab's folder once nodes are at work."""
    process = subprocess.Popen(
        suite.command("--release-target", "lab", *arguments),
        cwd=ROOT, env=suite.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        journals = "".join(p.read_text() for p in suite.reports.glob("*/journal/*.jsonl"))
        if '"kind":"created"' in journals:
            break
        time.sleep(0.05)
    target = (suite.reports / "latest" / "target.toml").read_text()
    folder = Path(re.findall(r'ca_file = "([^"]+)"', target)[0]).parent
    return process, str(folder)


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_ctrl_c_cleans_up_and_leaves_no_process(suite: Suite, workers: str) -> None:
    process, folder = started(suite, workers, "acceptance/test_smoke.py")
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=120)
    finished = suite.read(process.returncode, output)
    assert finished.code == 2, output
    assert finished.verdict["verdict"] == "INCOMPLETE"
    assert "reap" in output or not [r for r in finished.verdict["reasons"] if r["code"] == "left-behind"]
    assert gone(folder, process.pid) == []
    assert not Path(folder).exists()


def test_a_lab_that_dies_in_mid_run(suite: Suite) -> None:
    process, folder = started(suite, "acceptance/test_smoke.py")
    for pid in Path("/proc").glob("[0-9]*"):
        words = (pid / "cmdline").read_bytes().split(b"\0") if (pid / "cmdline").exists() else []
        if b"pytest_ovirt_release.lab" in words and str(process.pid).encode() in words:
            os.kill(int(pid.name), signal.SIGKILL)
    output, _ = process.communicate(timeout=200)
    finished = suite.read(process.returncode, output)
    assert finished.verdict["verdict"] in {"INCOMPLETE", "NO-GO"}
    assert finished.code != 0
    assert "the lab ended by itself" in output
    assert gone(folder, process.pid) == []
    assert not Path(folder).exists()


def test_a_killed_controller_leaves_no_process(suite: Suite) -> None:
    process, folder = started(suite, "-n2", "acceptance/test_smoke.py")
    process.kill()
    process.communicate(timeout=60)
    assert suite.read(process.returncode, "").verdict["verdict"] == "INCOMPLETE"
    assert gone(folder, process.pid) == []
    assert not Path(folder).exists()


def test_what_a_killed_run_left_can_be_reaped(
    suite: Suite, running_lab: LabProcess, release_target_text: str, tmp_path: Path
) -> None:
    path = tmp_path / "target.toml"
    path.write_text(release_target_text)
    process = subprocess.Popen(
        suite.command("--release-target", str(path), *LIVE, "acceptance/test_smoke.py"),
        cwd=ROOT, env=suite.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        journals = "".join(p.read_text() for p in suite.reports.glob("*/journal/*.jsonl"))
        if journals.count('"kind":"created"') >= 4:
            break
        time.sleep(0.02)
    process.kill()
    process.wait(30)
    run = str((suite.reports / "latest").resolve())
    words = [str(Path(sys.executable).parent / "ovirt-release"), "reap", run]
    dry = subprocess.run([*words, "--dry-run"], capture_output=True, text=True, timeout=120, check=False)
    assert "would remove" in dry.stdout
    reaped = subprocess.run(words, capture_output=True, text=True, timeout=200, check=False)
    assert reaped.returncode == 0, reaped.stdout + reaped.stderr
    again = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert "left nothing" in again.stdout
    assert running_lab.died() is None


def test_an_unknown_fault_names_those_that_exist(suite: Suite) -> None:
    finished = suite.run("--release-fault", "no-such-fault")
    assert finished.code == 4
    assert "unsigned-tarball" in finished.output
    assert finished.verdict["verdict"] == "INVALID"
