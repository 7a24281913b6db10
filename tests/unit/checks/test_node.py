from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import asyncssh
import pytest

from pytest_ovirt_release.checks import node as node_module
from pytest_ovirt_release.checks import ssh_pulse
from pytest_ovirt_release.checks.node import LARGEST_OUTPUT, ConnectionLost, HostKeyChanged, Remote
from pytest_ovirt_release.checks.ssh_keys import fingerprint, pinned_key
from pytest_ovirt_release.checks.waiting import Interrupted
from pytest_ovirt_release.errors import ReleaseError, Unreachable
from pytest_ovirt_release.target.model import SshTarget
from tests.chaos.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Door(asyncssh.SSHServer):
    def __init__(
        self, connections: list[asyncssh.SSHServerConnection], forwarded: list[tuple[str, int]]
    ) -> None:
        self.connections = connections
        self.forwarded = forwarded

    def connection_requested(self, dest_host: str, dest_port: int, *_: object) -> bool:
        self.forwarded.append((dest_host, dest_port))
        return True

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self.connections.append(conn)


class Machine:
    """An SSH server in a thread: each command runs a scripted handler and is remembered."""

    def __init__(self, folder: Path) -> None:
        self.commands: list[str] = []
        self.host_key = asyncssh.generate_private_key("ssh-ed25519")
        self.user_key = asyncssh.generate_private_key("ssh-ed25519")
        self.key_file = folder / "id"
        self.user_key.write_private_key(self.key_file)
        self.port = 0
        self.hang = asyncio.Event()
        self.connections: list[asyncssh.SSHServerConnection] = []
        self.forwarded: list[tuple[str, int]] = []

    @property
    def pin(self) -> str:
        return self.host_key.export_public_key().decode().strip()

    def target(self, **changes: object) -> SshTarget:
        given = {"address": "127.0.0.1", "port": self.port, "key_file": self.key_file, "host_key": self.pin}
        return SshTarget.model_validate({**given, **changes})

    async def serve(self, started: threading.Event, ended: asyncio.Event) -> None:
        acceptor = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[self.host_key],
            authorized_client_keys=asyncssh.import_authorized_keys(
                self.user_key.export_public_key().decode()
            ),
            server_factory=lambda: Door(self.connections, self.forwarded),
            process_factory=self.handle,
            server_version="machine pytest",
            config=None,
        )
        self.port = acceptor.get_port()
        started.set()
        await ended.wait()
        self.hang.set()
        acceptor.close()
        for connection in list(self.connections):
            connection.abort()
            await connection.wait_closed()
        await acceptor.wait_closed()

    async def handle(self, process: asyncssh.SSHServerProcess[str]) -> None:
        command = process.command or ""
        self.commands.append(command)
        words = command.split()[4:]  # after `timeout -k 5 N`
        if words[:1] == ["flood"]:
            process.stderr.write("e" * 3 * LARGEST_OUTPUT)
            process.stdout.write("first" + "o" * 3 * LARGEST_OUTPUT + "last")
            await process.stdout.drain()
            process.exit(0)
        elif words[:1] == ["hang"]:
            process.stdout.write("working")
            await self.hang.wait()
        elif words[:1] == ["drop"]:
            process.channel.get_connection().abort()
        elif words[:1] == ["vanish"]:
            process.close()
        else:
            process.stdout.write(f"ran {' '.join(words)}\n")
            process.stderr.write("note\n")
            process.exit(int(words[1]) if words[:1] == ["exit"] else 0)


@contextmanager
def running(machine: Machine) -> Iterator[Machine]:
    started = threading.Event()
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(machine.serve(started, ended)))
    thread.start()
    assert started.wait(10)
    try:
        yield machine
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
        loop.close()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with running(Machine(tmp_path)) as ready:
        yield ready


def remote(machine: Machine, met: list[str] | None = None, **changes: object) -> Remote:
    said: list[str] = [] if met is None else met
    return Remote(
        machine.target(**changes),
        name="node-1",
        met=lambda where, text: said.append(f"{where}: {text}"),
        seconds=10,
    )


def test_runs_words_as_they_are_and_tells_the_status(machine: Machine) -> None:
    with remote(machine) as node:
        result = node.run(["exit", "3", "a b; rm -rf $HOME"])
        assert (result.status, result.ok) == (3, False)
        assert result.stderr == "note\n"
        assert "status 3" in str(result)
    assert machine.commands == ["timeout -k 5 10 exit 3 'a b; rm -rf $HOME'"]


def test_one_connection_serves_many_commands_and_its_banner_is_reported_once(machine: Machine) -> None:
    met: list[str] = []
    with remote(machine, met) as node:
        assert node.run(["one"]).ok
        assert node.run(["two"]).stdout == "ran two\n"
    assert met == ["ssh:node-1: SSH-2.0-machine pytest"]


def test_much_output_on_both_sides_neither_blocks_nor_fills_memory(machine: Machine) -> None:
    with remote(machine) as node:
        result = node.run(["flood"])
    assert result.stdout.startswith("first")
    assert result.stdout.endswith("last")
    assert "bytes cut" in result.stdout
    assert len(result.stdout) < LARGEST_OUTPUT + 100
    assert len(result.stderr) < LARGEST_OUTPUT + 100


def test_a_command_that_does_not_end_is_given_up_at_its_deadline(machine: Machine) -> None:
    start = time.monotonic()
    with remote(machine) as node, pytest.raises(Unreachable, match=r"`hang` did not end in time.*working"):
        node.run(["hang"], deadline=0.3)
    assert time.monotonic() - start < 5


def test_a_network_that_is_gone_is_noticed_long_before_the_deadline(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh_pulse, "QUIET", 0.3)
    with Proxy(machine.port) as way, remote(machine, port=way.port) as node:
        assert node.run(["one"]).ok
        start = time.monotonic()
        threading.Timer(0.2, way.swallow).start()
        with pytest.raises(ConnectionLost, match="no answer any more during `hang`"):
            node.run(["hang"], deadline=30)
        assert time.monotonic() - start < 10
        way.flow()
        assert node.run(["again"]).ok


def test_a_machine_that_only_works_long_is_not_given_up(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh_pulse, "QUIET", 0.1)
    with remote(machine) as node, pytest.raises(Unreachable, match="did not end in time"):
        node.run(["hang"], deadline=1.5)


def test_a_kept_connection_that_went_silent_is_replaced(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_module, "REUSE_SECONDS", 0.3)
    with Proxy(machine.port) as way, remote(machine, port=way.port) as node:
        assert node.run(["one"]).ok
        way.swallow()
        threading.Timer(1.0, way.flow).start()
        assert node.run(["two"]).ok
    assert [c.split()[4] for c in machine.commands] == ["one", "two"]


def test_the_way_leads_through_another_machine_with_a_pin_of_its_own(
    machine: Machine, tmp_path: Path
) -> None:
    (tmp_path / "gate").mkdir()
    with running(Machine(tmp_path / "gate")) as gate:
        met: list[str] = []
        with remote(machine, met, proxy_jump=gate.target()) as node:
            assert node.run(["one"]).stdout == "ran one\n"
            assert node.run(["two"]).ok
        assert gate.forwarded == [("127.0.0.1", machine.port)]
        assert [line.partition(": ")[0] for line in met] == ["ssh:node-1 by way of 127.0.0.1", "ssh:node-1"]
        wrong = gate.target(host_key=machine.pin)
        with (
            remote(machine, proxy_jump=wrong) as node,
            pytest.raises(HostKeyChanged, match=r"by way of 127\.0\.0\.1"),
        ):
            node.run(["three"])
    assert len(machine.commands) == 2


def test_a_lost_connection_is_no_empty_success(machine: Machine) -> None:
    with remote(machine) as node:
        with pytest.raises(ConnectionLost, match="connection lost during `drop`"):
            node.run(["drop"])
        assert node.run(["again"]).ok


def test_a_command_that_ends_without_a_status_is_lost(machine: Machine) -> None:
    with remote(machine) as node, pytest.raises(ConnectionLost):
        node.run(["vanish"])


def test_the_stop_flag_ends_a_command(machine: Machine) -> None:
    flag = threading.Event()
    node = Remote(machine.target(), name="node-1", met=lambda *_: None, seconds=10, flag=flag)
    timer = threading.Timer(0.2, flag.set)
    timer.start()
    with node, pytest.raises(Interrupted):
        node.run(["hang"])
    timer.join()


def test_another_host_key_names_both_fingerprints_and_nothing_is_sent(machine: Machine) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    with remote(machine, host_key=other) as node, pytest.raises(HostKeyChanged) as caught:
        node.run(["one"])
    assert fingerprint(pinned_key(other, "x")[1]) in str(caught.value)
    assert fingerprint(pinned_key(machine.pin, "x")[1]) in str(caught.value)
    assert machine.commands == []


def test_a_pin_of_another_kind_of_key_is_a_changed_key_too(machine: Machine) -> None:
    other = asyncssh.generate_private_key("ecdsa-sha2-nistp256").export_public_key().decode().strip()
    with remote(machine, host_key=other) as node, pytest.raises(HostKeyChanged, match="ssh-ed25519"):
        node.run(["one"])


def test_a_key_that_the_machine_does_not_know(machine: Machine, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(stranger)
    with (
        remote(machine, key_file=stranger) as node,
        pytest.raises(ReleaseError, match="does not let root in"),
    ):
        node.run(["one"])


def test_no_way_to_log_in_is_said_before_the_machine_says_it(machine: Machine) -> None:
    with remote(machine, key_file=None) as node, pytest.raises(ReleaseError, match="neither key_file nor"):
        node.run(["one"])


def test_a_closed_port_is_unreachable(machine: Machine, unused_port: int) -> None:
    with remote(machine, port=unused_port) as node, pytest.raises(Unreachable, match="no SSH connection"):
        node.run(["one"])


def test_who_is_no_ssh_server_is_told_in_our_words_alone() -> None:
    code = """
import sys
from pytest_ovirt_release.checks.ssh_keys import shown_key
from pytest_ovirt_release.errors import Unreachable
try:
    shown_key("127.0.0.1", int(sys.argv[1]), 5)
except Unreachable as error:
    print(error)
"""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with subprocess.Popen(
            [sys.executable, "-c", code, str(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            server.settimeout(30)
            with server.accept()[0] as caller:
                caller.sendall(b"HTTP/1.1 400 Bad Request\r\n" * 200)
            said, complaint = process.communicate(timeout=30)
    assert said.startswith(f"no SSH server answers at 127.0.0.1:{port}: ")
    assert complaint == ""


def test_a_key_file_that_is_none(machine: Machine, tmp_path: Path) -> None:
    junk = tmp_path / "junk"
    junk.write_text("not a key")
    with remote(machine, key_file=junk) as node, pytest.raises(ReleaseError, match="cannot be used"):
        node.run(["one"])


@pytest.fixture
def unused_port() -> int:
    import socket  # noqa: PLC0415 - only here

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
