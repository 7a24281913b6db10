"""The lab's engine machine and PKI, and that each fault of theirs makes the matching check fail."""

from __future__ import annotations

import asyncio
import queue
import subprocess
import threading
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import asyncssh
import pytest

from pytest_ovirt_release.checks import tls
from pytest_ovirt_release.checks.installation import check_installation
from pytest_ovirt_release.checks.node import Remote
from pytest_ovirt_release.checks.scripts import require_success
from pytest_ovirt_release.errors import CheckFailed, ReleaseError
from pytest_ovirt_release.lab.release import scripts
from pytest_ovirt_release.lab.release.engine_machine import EngineMachine
from pytest_ovirt_release.local.release_script import run_script
from pytest_ovirt_release.release.page import Script, Setup
from pytest_ovirt_release.target.brand import LAB_BRAND, is_lab
from pytest_ovirt_release.target.model import SshTarget

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from typing import TypeVar

    from pytest_ovirt_release.lab.pki import LabPki

    T = TypeVar("T")

SETUP = Setup(tool=("engine-setup", "--help"), tool_says="--generate-answer", service="ovirt-engine")
PKI_SCRIPT = Script(
    component="ovirt-engine", command=("{source}/packaging/bin/pki-setup.sh", "{out}", "{host}"), deadline=60
)
LOG_FOLDER = "/var/log/ovirt-engine/setup"


class Started(NamedTuple):
    """A machine that answers, its PKI, and how to log in."""

    machine: EngineMachine
    pki: LabPki
    ssh: SshTarget


class Met(list[str]):
    def __call__(self, where: str, text: str) -> None:
        self.append(text)


def source_tree(folder: Path, *faults: str) -> Path:
    scripts.write_tree(scripts.tree(frozenset(faults)), folder / "source")
    return folder / "source"


@asynccontextmanager
async def engine_machine(folder: Path, *faults: str) -> AsyncIterator[Started]:
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(folder / "id")
    (folder / "id").chmod(0o600)
    line = key.export_public_key().decode()
    machine = EngineMachine(folder=folder, faults=frozenset(faults), root_key=line)
    try:
        pki = await machine.install(await asyncio.to_thread(source_tree, folder))
        await machine.start()
        where = SshTarget(
            address="127.0.0.1", port=machine.ssh_port, key_file=folder / "id", host_key=machine.host_key
        )
        yield Started(machine, pki, where)
    finally:
        await machine.stop()


def with_machine(folder: Path, use: Callable[[Started], T], *faults: str) -> T:
    """Run a blocking function beside a machine's event loop."""

    async def both() -> T:
        async with engine_machine(folder, *faults) as started:
            return await asyncio.to_thread(use, started)

    return asyncio.run(both())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """One healthy machine for every test that only looks; its event loop runs in a thread of its own."""
    ready: queue.SimpleQueue[Started | BaseException] = queue.SimpleQueue()
    folder = tmp_path_factory.mktemp("machine")
    loop = asyncio.new_event_loop()
    over = asyncio.Event()

    async def serve() -> None:
        try:
            async with engine_machine(folder) as started:
                ready.put(started)
                await over.wait()
        except BaseException as error:  # noqa: BLE001 - told to the thread that waits for it
            ready.put(error)

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        started = ready.get(timeout=120)
        if isinstance(started, BaseException):
            raise started
        yield started
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(60)
        loop.close()


def processes_of(folder: str) -> list[str]:
    found = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, timeout=20, check=True)
    return [line for line in found.stdout.splitlines() if folder in line]


def test_the_page_finds_everything_there_and_meets_the_lab(running: Started) -> None:
    met = Met()
    with Remote(running.ssh, name="engine machine", met=met) as remote:
        found = check_installation(remote, SETUP, 60)
    assert found.tool.startswith("Usage: engine-setup")
    assert (found.enabled, found.active) == ("enabled", "active")
    assert "6 scripts applied, version 03000060" in found.log
    assert found.log.rstrip().endswith("Stage: Execution of setup completed successfully")
    assert met
    assert all(is_lab(text) for text in met)


def test_its_other_answers_are_a_shells(running: Started) -> None:
    lines = (
        "nonsense",
        "timeout -k 5 30 engine-setup --help",
        "engine-setup",
        "systemctl is-active vdsmd",
        "systemctl is-enabled vdsmd.service",
        f"cat {LOG_FOLDER}/other.log",
        "cat /etc/os-release",
    )
    with Remote(running.ssh, name="engine machine", met=Met()) as remote:
        said = {line: remote.run(line.split()) for line in lines}
    assert [r.status for r in said.values()] == [127, 1, 1, 3, 1, 1, 0]
    assert "--generate-answer" in said["timeout -k 5 30 engine-setup --help"].stdout
    assert LAB_BRAND in said["cat /etc/os-release"].stdout


def test_nobody_else_gets_in(running: Started, tmp_path: Path) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519")
    other.write_private_key(tmp_path / "other")
    for change in ({"key_file": tmp_path / "other"}, {"user": "admin"}):
        ssh = running.ssh.model_copy(update=change)
        with Remote(ssh, name="engine machine", met=Met()) as remote, pytest.raises(ReleaseError):
            remote.run(["engine-setup", "--help"])


def test_nothing_of_it_runs_afterwards(tmp_path: Path) -> None:
    def look(started: Started) -> str:
        with Remote(started.ssh, name="engine machine", met=Met()) as remote:
            remote.run(["systemctl", "is-active", "ovirt-engine"])
        assert started.machine._postgres is not None
        return started.machine._postgres.superuser.host

    folder = with_machine(tmp_path, look)
    assert not Path(folder).exists()
    assert processes_of(folder) == []


def test_a_stop_in_mid_install_leaves_nothing_either(tmp_path: Path) -> None:
    """The database is still being made in the background when this machine is told to stop."""
    machine = with_machine(tmp_path, lambda started: started.machine)
    assert machine._postgres is None
    assert processes_of(str(tmp_path)) == []


def test_service_disabled_fails_the_installation_check(tmp_path: Path) -> None:
    def look(started: Started) -> None:
        with (
            Remote(started.ssh, name="engine machine", met=Met()) as remote,
            pytest.raises(
                CheckFailed, match="enabled is wanted, the engine's machine says 'disabled'"
            ) as failed,
        ):
            check_installation(remote, SETUP, 60)
        assert failed.value.code == "service-disabled"

    with_machine(tmp_path, look, "service-disabled")


@pytest.mark.parametrize(
    ("setup", "code"),
    [
        (Setup(tool=("ovirt-setup",), service="ovirt-engine"), "setup-tool-missing"),
        (Setup(tool=("engine-setup",), service="ovirt-engine"), "setup-tool-fails"),
        (Setup(tool=("engine-setup", "--help"), service="ovirt-engine"), "setup-tool-fails"),
        (
            Setup(tool=("engine-setup", "--version"), tool_says="3.0", service="ovirt-engine"),
            "setup-tool-fails",
        ),
        (SETUP.model_copy(update={"service": "jboss"}), "service-disabled"),
    ],
)
def test_a_machine_without_what_the_page_names(running: Started, setup: Setup, code: str) -> None:
    with (
        Remote(running.ssh, name="engine machine", met=Met()) as remote,
        pytest.raises(CheckFailed) as failed,
    ):
        check_installation(remote, setup, 60)
    assert failed.value.code == code


def test_the_pki_is_the_scripts_and_signs_more_certificates(running: Started, tmp_path: Path) -> None:
    pki = running.pki
    assert LAB_BRAND in pki.ca_subject
    tls.verify_pair(pki.ca_path, pki.engine_cert, "127.0.0.1")
    tls.verify_pair(pki.ca_path, pki.engine_cert, "localhost")
    certificate, key = pki.issue("node-1", ["127.0.0.2", "node-1"])
    assert set(tls.verify_pair(pki.ca_path, certificate, "127.0.0.2").names) == {
        "IP Address:127.0.0.2",
        "DNS:node-1",
    }
    assert key.stat().st_mode & 0o077 == 0
    with pytest.raises(CheckFailed) as failed:
        tls.verify_pair(pki.ca_path, pki.stranger_cert, "127.0.0.1")
    assert failed.value.code == "ca-does-not-verify"
    stranger = tmp_path / "stranger.pem"
    stranger.write_bytes(pki.stranger_ca_pem)
    tls.verify_pair(stranger, pki.stranger_cert, "127.0.0.1")


@pytest.mark.parametrize("host", ["127.0.0.1", "engine.example.org", "::1"])
def test_the_good_pki_script_passes_for_names_and_addresses(tmp_path: Path, host: str) -> None:
    source, out = source_tree(tmp_path), tmp_path / "out"
    result = run_script(
        PKI_SCRIPT, source, out, {"host": host}, deadline=60, extra_env={"PKI_ORGANIZATION": "A/B+C\\D"}
    )
    require_success(result, "the PKI script", "pki-script-fails")
    facts = tls.verify_pair(out / "ca.pem", out / "certs" / "engine.cer", host)
    assert "A/B+C\\\\D" in facts.subject.replace("\\/", "/").replace("\\+", "+")
    assert (out / "private" / "ca.key").stat().st_mode & 0o077 == 0


def test_the_pki_script_never_replaces_an_authority(tmp_path: Path) -> None:
    source, out = source_tree(tmp_path), tmp_path / "out"
    out.mkdir()
    (out / "ca.pem").write_text("mine\n")
    result = run_script(PKI_SCRIPT, source, out, {"host": "127.0.0.1"}, deadline=60)
    assert (result.status, (out / "ca.pem").read_text()) == (1, "mine\n")
    assert "never replaced" in result.output


def test_the_pki_script_refuses_a_host_that_is_none(tmp_path: Path) -> None:
    result = run_script(
        PKI_SCRIPT, source_tree(tmp_path), tmp_path / "out", {"host": "a b,DNS:c"}, deadline=60
    )
    assert result.status != 0
    assert "neither a host name nor an address" in result.output
    assert not (tmp_path / "out").exists()


def test_the_fault_lets_the_pki_script_end_without_a_certificate(tmp_path: Path) -> None:
    source, out = source_tree(tmp_path, "pki-script-fails"), tmp_path / "out"
    result = run_script(PKI_SCRIPT, source, out, {"host": "127.0.0.1"}, deadline=60)
    require_success(result, "the PKI script", "pki-script-fails")
    with pytest.raises(CheckFailed, match=r"the script ended without a certs/engine\.cer") as failed:
        tls.verify_pair(out / "ca.pem", out / "certs" / "engine.cer", "127.0.0.1")
    assert failed.value.code == "certificate-missing"


def test_a_fault_changes_its_own_file_only() -> None:
    good = scripts.tree(frozenset())
    for fault, path in (
        ("pki-script-fails", scripts.PKI_SCRIPT),
        ("database-script-fails", scripts.BROKEN_UPGRADE),
    ):
        bad = scripts.tree(frozenset({fault}))
        assert {name for name in good if good[name] != bad[name]} == {path}
    assert good[scripts.PKI_SCRIPT][1] == good[scripts.DATABASE_SCRIPT][1] == 0o755
    assert scripts.tree(frozenset({"service-disabled"})) == good


def test_a_broken_source_tree_cannot_be_installed(tmp_path: Path) -> None:
    line = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    tree = source_tree(tmp_path)
    (tree / scripts.PKI_SCRIPT).write_text("#!/bin/bash\necho no >&2\nexit 1\n")

    async def install() -> None:
        machine = EngineMachine(folder=tmp_path, faults=frozenset(), root_key=line)
        try:
            await machine.install(tree)
        finally:
            await machine.stop()

    with pytest.raises(ReleaseError, match=r"could not be installed: pki-setup\.sh ended with status 1"):
        asyncio.run(install())
