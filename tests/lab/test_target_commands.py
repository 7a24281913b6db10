"""`ovirt-release target new` and `target check`, against a lab as against anybody's engine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tomli_w

from pytest_ovirt_release.target.lab_process import LabProcess
from pytest_ovirt_release.target.loading import load_target
from tests.lab.conftest import ROOT


def release(*words: object, answers: str = "", **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", "from pytest_ovirt_release.cli import main; main()", *map(str, words)],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "150"} | environment,
        input=answers,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout


def test_everything_of_a_lab_works_and_nothing_of_it_is_changed(running_lab: LabProcess) -> None:
    code, said = release("target", "check", running_lab.target)
    assert code == 0, said
    for words in (
        "engine login",
        "node node-1 SSH",
        "node node-2 SSH",
        "engine machine SSH",
        "release files: git",
    ):
        line = next(line for line in said.splitlines() if line.startswith(words))
        assert " works " in line
    assert "waits for approval as host node-1" in said
    assert said.splitlines()[-1].endswith("nothing stands against a run")
    again = release("target", "check", running_lab.target)
    assert again == (0, said)


def test_what_does_not_work_is_told_with_what_to_do_in_less_than_ten_seconds(
    running_lab: LabProcess, tmp_path: Path
) -> None:
    (tmp_path / "pw").write_text("wrong password\n")
    data = load_target(running_lab.target).model_dump(mode="json", by_alias=True, exclude_none=True)
    data["engine"]["password_file"] = str(tmp_path / "pw")
    data["nodes"][1]["ssh"]["host_key"] = data["engine"]["ssh"]["host_key"]
    file = tmp_path / "target.toml"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        data["nodes"][0]["ssh"] |= {"address": "127.0.0.1", "port": silent.getsockname()[1]}
        file.write_text(tomli_w.dumps(data))
        start = time.monotonic()
        code, said = release("target", "check", file)
    assert time.monotonic() - start < 10
    assert code == 1
    flat = " ".join(said.split())
    assert "does not let admin@internal in" in flat
    assert "check user and password of [engine]" in flat
    assert "node node-1 SSH wrong" in flat
    assert "but the target file pins" in flat
    assert "wrong password" not in said
    assert "do not work" in said.splitlines()[-1]


def test_a_file_written_by_asking_is_tried_at_once(running_lab: LabProcess, tmp_path: Path) -> None:
    target = load_target(running_lab.target)
    file = tmp_path / "target.toml"
    answers = [
        "lab-room",
        target.engine.url.removeprefix("https://").split("/")[0],
        "y",
        "",
        "env",
        "OUR_PW",
        "n",
    ]
    for number, node in enumerate(target.nodes):
        ssh = node.ssh
        answers += ["", node.address, node.storage, node.registered_by]
        answers += ["", str(ssh.port), "", str(ssh.key_file), "y", "y" if number == 0 else "n"]
    nfs, path = target.storage.nfs, target.storage.local_path
    assert nfs is not None
    answers += [nfs.address, nfs.path, "", "", str(path), str(target.candidate), "y"]
    code, said = release("target", "new", file, answers="\n".join(answers) + "\n")
    assert code == 0, said
    assert "Compare: openssl x509" in said
    written = load_target(file)
    assert written.engine.ca_sha256 is not None
    pins = [(n.name, *n.ssh.host_key.split()[:2]) for n in target.nodes]
    assert [(n.name, *n.ssh.host_key.split()[:2]) for n in written.nodes] == pins
    assert file.stat().st_mode & 0o777 == 0o600
    assert target.engine.password_file is not None
    password = target.engine.password_file.read_text().strip()
    code, said = release("target", "check", file, OUR_PW=password)
    assert password not in file.read_text() + said
    assert "engine login" in said
    # The candidate is of the lab's own site, which the page names only by the lab's overlay.
    assert not [
        line for line in said.splitlines() if " wrong " in line and not line.startswith("release files")
    ], said
    code, said = release("target", "new", file)
    assert (code, said.count("\n")) == (2, 1)
    assert "is there already" in said


@pytest.mark.parametrize("command", ["new", "check"])
def test_the_commands_say_what_they_do(command: str) -> None:
    code, said = release("target", command, "--help")
    assert code == 0
    assert f"Example: ovirt-release target {command} target.toml" in said
