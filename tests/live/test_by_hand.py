"""The whole suite as on test day: a lab that somebody else has started, and a target file written by a person."""

from __future__ import annotations

import json
import re
import selectors
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

from pytest_ovirt_release.target.loading import load_target
from tests.chaos.ground import everything
from tests.lab.conftest import LIVE, Suite

pytestmark = pytest.mark.long

BY_HAND = Path(__file__).with_name("target.toml")
READY = 90


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return Suite(tmp_path / "reports")


@pytest.fixture(scope="module")
def cellar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a lab on other addresses, started by its command."""
    folder = tmp_path_factory.mktemp("cellar") / "lab"
    words = [str(Path(sys.executable).parent / "ovirt-release"), "lab", "--folder", str(folder)]
    process = subprocess.Popen(
        [*words, "--network", "127.0.7", "--user", "tess"],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            assert selector.select(READY)
        assert process.stdout.readline() == f"ready {folder}/target.toml\n"
        yield folder
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.fixture
def target(cellar: Path, tmp_path: Path) -> Path:
    """The person's file, with the ports of this start, and what else a person fetches beside it."""
    own = load_target(cellar / "target.toml")  # read as a person does who looks ports up
    ports = {node.address: node.ssh.port for node in own.nodes}
    assert own.engine.ssh is not None
    front = re.findall(r"ready at (http://127\.0\.0\.1:\d+)", (cellar / "lab.log").read_text())[0]
    where = f"{front}/ovirt-engine/services/pki-resource?resource=ca-certificate&format=X509-PEM-CA"
    with urllib.request.urlopen(where, timeout=20) as answer:  # noqa: S310 - loopback
        (tmp_path / "ca-of-the-engine.pem").write_bytes(answer.read())
    said = {
        "lab": str(cellar),
        "engine port": own.engine.url.split(":")[2].partition("/")[0],
        "engine machine port": str(own.engine.ssh.port),
        "engine machine key": keyscan("127.0.0.1", own.engine.ssh.port),
        **{f"port of {address}": str(port) for address, port in ports.items()},
        **{f"key of {address}": keyscan(address, port) for address, port in ports.items()},
    }
    path = tmp_path / "cellar.toml"
    path.write_text(re.sub(r"<([^>]+)>", lambda m: said[m[1]], BY_HAND.read_text()))
    return path


def keyscan(address: str, port: int) -> str:
    """Do what `ssh-keyscan` does."""
    with socket.create_connection((address, port), timeout=20) as sock:
        transport = paramiko.Transport(sock)
        try:
            transport.start_client(timeout=20)
            key = transport.get_remote_server_key()
            return f"{key.get_name()} {key.get_base64()}"
        finally:
            transport.close()


def test_the_whole_suite_on_a_target_that_a_person_wrote(suite: Suite, cellar: Path, target: Path) -> None:
    before = everything(cellar)
    password = (cellar / "engine.password").read_text().strip()
    finished = suite.run("--release-target", str(target), *LIVE, "-n", "2", CELLAR_PASSWORD=password)
    assert set(finished.states().values()) == {"passed"}, finished.details() + finished.output[-3000:]
    assert finished.verdict["rehearsal"] is True
    (run,) = finished.verdict["runs"]
    assert (run["environment"], run["tester"]) == ("cellar", "tess")
    cells = {name for name in finished.states() if name.startswith("node-runs-vm")}
    assert cells == {"node-runs-vm[left-of-the-door]", "node-runs-vm[right-of-the-door]"}
    # The node that registers by itself asks once; its host, pending before, is gone. Nothing else differs.
    assert {seen[3] for seen in before - everything(cellar)} <= {"127.0.7.2"}
    assert everything(cellar) - before == set()
    assert password not in finished.output
    performers = {
        record["node"]: journal.stem
        for journal in (finished.folder / "journal").glob("gw*.jsonl")
        for record in map(json.loads, journal.read_text().splitlines())
        if record["kind"] == "stage" and record["stage"] == "approved"
    }
    assert sorted(performers.values()) == ["gw0", "gw1"], "both nodes were at work at once"


def test_without_the_password_nothing_is_touched(suite: Suite, cellar: Path, target: Path) -> None:
    before = everything(cellar)
    finished = suite.run("--release-target", str(target), *LIVE, "acceptance/test_node.py")
    assert finished.code == 4
    assert finished.verdict["verdict"] == "INVALID"
    assert "CELLAR_PASSWORD" in finished.output
    assert everything(cellar) == before
