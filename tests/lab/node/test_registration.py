"""`vdsm-tool register` over real SSH, and the node that registers by itself, against a stand-in of the servlet."""

from __future__ import annotations

import asyncio
import hashlib
import http.server
import re
import ssl
import threading
import urllib.parse
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import asyncssh
import pytest
import trustme

from pytest_ovirt_release.lab.node.access import DeployError, HostAccess
from pytest_ovirt_release.target.brand import is_lab

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_ovirt_release.lab.node.machine import LabNode

    from .conftest import Pki, StartNode

DEADLINE = 30


@dataclass
class Servlet:
    """The engine's registration service: what it was asked, and what it shall answer."""

    ca_pem: bytes
    ssh_key: str
    port: int = 0
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def of(self, command: str) -> list[dict[str, str]]:
        return [parameters for _, parameters in self.asked if parameters["command"] == command]

    def answer(self, command: str) -> bytes | None:
        if command in self.refuses:
            return None
        answers = {
            "get-version": b"1",
            "get-pki-trust": self.ca_pem,
            "get-ssh-trust": self.ssh_key.encode() + b"\n",
            "register": b"OK\n",
        }
        return answers.get(command)


@pytest.fixture
def access(tmp_path: Path) -> HostAccess:
    return HostAccess(tmp_path / "engine" / "id_ed25519")


@pytest.fixture
def servlet(pki: Pki, access: HostAccess) -> Iterator[Servlet]:
    told = Servlet(pki.ca_pem, access.public_key)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urllib.parse.urlsplit(self.path)
            parameters = dict(urllib.parse.parse_qsl(url.query))
            told.asked.append((self.client_address[0], parameters))
            right = url.path == "/ovirt-engine/services/host-register" and parameters["version"] == "1"
            body = told.answer(parameters["command"]) if right else None
            self.send_response(400 if body is None else 200)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_args: object) -> None:
            pass

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*pki.issue("engine", ("127.0.0.1",)))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        told.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield told
        server.shutdown()
        thread.join()


async def login(node: LabNode, key: asyncssh.SSHKey) -> asyncssh.SSHClientConnection:
    known = asyncssh.import_known_hosts(f"[{node.address}]:{node.ssh_port} {node.host_key}")
    return await asyncssh.connect(
        node.address,
        node.ssh_port,
        username="root",
        client_keys=[key],
        known_hosts=known,
        config=None,
        agent_path=None,
    )


async def shell(node: LabNode, key: asyncssh.SSHKey, *lines: str) -> list[tuple[int | None, str, str]]:
    async with asyncio.timeout(DEADLINE), await login(node, key) as connection:
        done = [await connection.run(line) for line in lines]
    return [(result.exit_status, str(result.stdout), str(result.stderr)) for result in done]


def test_the_command_registers_in_seven_steps(
    start_node: StartNode, servlet: Servlet, tester_key: asyncssh.SSHKey, access: HostAccess, pki: Pki
) -> None:
    async def go() -> tuple[LabNode, list[tuple[int | None, str, str]]]:
        async with start_node() as node:
            done = await shell(
                node,
                tester_key,
                "cat /etc/vdsm/vdsm.id",
                f"timeout -k 5 60 vdsm-tool register --engine-fqdn {servlet.host} --node-name other "
                f"--node-address {node.address}",
                "cat /etc/vdsm/vdsm.id",
                "cat /etc/pki/ovirt-engine/ca.pem",
                "cat /root/.ssh/authorized_keys",
                "cat /var/log/vdsm/register.log",
                "systemctl is-active vdsmd",
            )
            await access.deploy(node.address, node.ssh_port)
            done += await shell(node, tester_key, "systemctl is-active vdsmd", "vdsm-tool vdsm-id")
            return node, done

    node, (before, command, vdsm_id, ca, keys, log, inactive, active, told_id) = asyncio.run(go())
    assert before[0] == 1
    assert before[2] == "cat: /etc/vdsm/vdsm.id: No such file or directory\n"
    digest = fingerprint(pki.ca_pem)
    said = [
        "Starting registration...",
        f"Host UUID: {node.uuid}",
        "Collecting CA data from Engine...",
        f"Calculated fingerprint: {digest}",
        "Collecting ssh pub key data...",
        f"Registration completed, host is pending approval on Engine: {servlet.host}",
    ]
    assert command == (0, "\n".join([*said, ""]), "")
    assert vdsm_id[1].strip() == node.uuid == told_id[1].strip()
    assert ca[1].encode() == pki.ca_pem
    assert keys[1].splitlines()[-1] == access.public_key
    assert access.public_key.endswith(" ovirt-engine")
    lines = [re.fullmatch(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d [AP]M (.*)", line) for line in log[1].splitlines()]
    assert [line[1] for line in lines if line is not None and line[1] in said] == said
    assert None not in lines
    assert (inactive[0], active) == (3, (0, "active\n", ""))
    assert {source for source, _ in servlet.asked} == {node.address}
    assert [parameters["command"] for _, parameters in servlet.asked] == [
        "get-version",
        "get-pki-trust",
        "get-ssh-trust",
        "register",
    ]
    assert servlet.of("register") == [
        {
            "version": "1",
            "command": "register",
            "sshUser": "root",
            "sshPort": str(node.ssh_port),
            "port": "54321",
            "name": "other",
            "address": node.address,
            "uniqueId": node.uuid,
        }
    ]


def fingerprint(pem: bytes) -> str:
    digest = hashlib.sha1(ssl.PEM_cert_to_DER_cert(pem.decode()), usedforsecurity=False).hexdigest()
    return ":".join(digest[i : i + 2] for i in range(0, 40, 2))


def test_what_goes_wrong_is_printed_with_exit_1_and_logged(
    start_node: StartNode, servlet: Servlet, tester_key: asyncssh.SSHKey
) -> None:
    servlet.refuses.add("register")
    right = fingerprint(servlet.ca_pem)
    command = "vdsm-tool register --engine-fqdn"

    async def go() -> list[tuple[int | None, str, str]]:
        async with start_node() as node:
            return await shell(
                node,
                tester_key,
                f"{command} {servlet.host} --fingerprint AA:BB",
                "cat /etc/pki/ovirt-engine/ca.pem",
                f"{command} {servlet.host} --fingerprint {right.upper()}",
                f"{command} {servlet.host} --ssh-user nobody",
                f"{command} 127.0.0.1:1",
                f"{command} 127.0.0.1:x",
                "cat /var/log/vdsm/register.log",
            )

    mismatch, ca, refused, user, closed, number, log = asyncio.run(go())
    assert {each[0] for each in (mismatch, refused, user, closed, number)} == {1}
    assert {each[2] for each in (mismatch, refused, user, closed, number)} == {""}
    sentence = f"Cannot connect to engine. {servlet.host} matches the FQDN of Engine?\n"
    assert mismatch[1].endswith(
        f"{sentence}RuntimeError: The fingeprints doesn't match:\n"
        f"Calculated fingerprint: [{right}]\nAttribute fingerprint:  [AA:BB]\n"
    )
    assert ca[0] == 1, "a CA that was not the wanted one is not kept"
    assert refused[1].endswith(
        f"{sentence}requests.exceptions.RequestException: http response was non OK, code 400\n"
    )
    assert "name not found: 'nobody'" in user[1]
    assert "ConnectionError" in closed[1]
    assert "InvalidURL" in number[1]
    assert log[1].count("Cannot connect to engine.") == 5


def test_a_wrong_call_is_explained_with_exit_2_and_asks_nobody(
    start_node: StartNode, servlet: Servlet, tester_key: asyncssh.SSHKey
) -> None:
    async def go() -> list[tuple[int | None, str, str]]:
        async with start_node() as node:
            return await shell(
                node,
                tester_key,
                f"vdsm-tool register --engine-fqdn {servlet.host} --colour blue",
                "vdsm-tool register",
                "vdsm-tool register --help",
            )

    option, nothing, help_ = asyncio.run(go())
    assert (option[0], nothing[0], help_[0]) == (2, 2, 0)
    assert option[2].startswith("usage: vdsm-tool")
    assert "unrecognized arguments: --colour blue" in option[2]
    assert "the following arguments are required: --engine-fqdn" in nothing[2]
    options = (
        *("node-address", "node-name", "engine-fqdn", "engine-https-port", "ssh-user", "ssh-port"),
        *("check-fqdn", "fingerprint", "vdsm-port", "vdsm-uuid"),
    )
    assert all(f"--{name}" in help_[1] for name in options)
    assert servlet.asked == []


def test_what_is_there_is_used_again_and_what_is_not_given_is_not_sent(
    start_node: StartNode, servlet: Servlet, tester_key: asyncssh.SSHKey, access: HostAccess
) -> None:
    command = f"vdsm-tool register --engine-fqdn {servlet.host}"

    async def go() -> list[tuple[int | None, str, str]]:
        async with start_node() as node:
            return await shell(
                node,
                tester_key,
                command,
                f"{command} --vdsm-uuid MY-Own-Id --vdsm-port 1 --ssh-port 2022",
                "cat /etc/vdsm/vdsm.id",
                "cat /root/.ssh/authorized_keys",
            )

    first, second, vdsm_id, keys = asyncio.run(go())
    assert (first[0], second[0]) == (0, 0)
    assert len(servlet.of("get-pki-trust")) == 1
    assert keys[1].count(access.public_key) == 1
    plain, changed = servlet.of("register")
    assert not {"name", "address"} & set(plain)
    assert (changed["uniqueId"], changed["port"], changed["sshPort"]) == ("MY-Own-Id", "1", "2022")
    assert vdsm_id[1] == "MY-Own-Id"


def test_an_engine_that_another_ca_signed_is_refused_unless_told_otherwise(
    start_node: StartNode, servlet: Servlet, tester_key: asyncssh.SSHKey
) -> None:
    servlet.ca_pem = trustme.CA().cert_pem.bytes()
    command = f"vdsm-tool register --engine-fqdn {servlet.host}"

    async def go() -> list[tuple[int | None, str, str]]:
        async with start_node() as node:
            words = (
                "",
                "--check-fqdn True",
                "--check-fqdn 1",
                "--check-fqdn False",
                "--check-fqdn 0",
                "--check-fqdn yes",
            )
            return await shell(node, tester_key, *(f"{command} {word}".strip() for word in words))

    *checked, no, zero, odd = asyncio.run(go())
    assert [each[0] for each in checked] == [1, 1, 1]
    assert all("SSLError" in each[1] and "certificate verify failed" in each[1] for each in checked)
    assert (no[0], zero[0], odd[0]) == (0, 0, 0), "vdsm takes any other word for no"


def test_a_node_that_registers_by_itself_tries_until_it_may(start_node: StartNode, servlet: Servlet) -> None:
    servlet.refuses.add("register")

    async def asked_twice() -> None:
        while True:
            if len(servlet.of("register")) >= 2:
                return
            await asyncio.sleep(0.02)

    async def go() -> LabNode:
        async with start_node(engine=f"https://{servlet.host}", registers_itself=True) as node:
            assert node._agent is not None
            async with asyncio.timeout(DEADLINE):
                await asked_twice()
                servlet.refuses.clear()
                await node._agent
            return node

    node = asyncio.run(go())
    last = servlet.of("register")[-1]
    assert last["address"] == node.address
    assert last["sshPort"] == str(node.ssh_port)
    assert last["uniqueId"] == node.uuid
    assert last["name"] == node.name


def test_a_node_without_an_engine_waits_and_can_be_stopped(start_node: StartNode) -> None:
    async def go() -> None:
        async with start_node(registers_itself=True):
            await asyncio.sleep(0)

    asyncio.run(go())


def test_the_engine_cannot_log_in_before_registration(start_node: StartNode, access: HostAccess) -> None:
    async def go() -> None:
        async with start_node() as node:
            with pytest.raises(DeployError, match="SSH authentication"):
                await access.deploy(node.address, node.ssh_port)
        with pytest.raises(DeployError, match="cannot connect"):
            await access.deploy(node.address, node.ssh_port)

    asyncio.run(go())


def test_the_shell_knows_little_and_says_so(start_node: StartNode, tester_key: asyncssh.SSHKey) -> None:
    async def go() -> tuple[str, list[tuple[int | None, str, str]]]:
        async with start_node() as node:
            async with await login(node, tester_key) as connection:
                banner = str(connection.get_extra_info("server_version"))
            return banner, await shell(
                node,
                tester_key,
                "hostname",
                "uname -r",
                "cat /etc/os-release",
                "cat ../../../../etc/shadow",
                "rm -f -- /etc/hostname /etc/none",
                "cat /etc/hostname",
                "nmap 127.0.0.1",
                "echo 'unbalanced",
            )

    banner, (hostname, kernel, release, shadow, rm, gone, unknown, unbalanced) = asyncio.run(go())
    assert is_lab(banner)
    assert is_lab(release[1])
    assert hostname[:2] == (0, "node-1\n")
    assert kernel[1].endswith("x86_64\n")
    assert shadow[0] == 1
    assert rm[0] == 0
    assert gone[0] == 1
    assert unknown == (127, "", "bash: line 1: nmap: command not found\n")
    assert unbalanced[0] == 2


def test_nobody_else_may_log_in(start_node: StartNode, tester_key: asyncssh.SSHKey) -> None:
    stranger = asyncssh.generate_private_key("ssh-ed25519")

    async def go() -> None:
        async with start_node() as node:
            with pytest.raises(asyncssh.PermissionDenied):
                await login(node, stranger)

    asyncio.run(go())
