"""Where the bytes of a disk go: the node's address, else the engine's proxy; no proxy but the target's."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from types import SimpleNamespace

import pytest
import trustme

from pytest_ovirt_release.checks.engine import Event, Transfer
from pytest_ovirt_release.checks.ledger import Ledger
from pytest_ovirt_release.checks.tls_connection import Endpoint, connected
from pytest_ovirt_release.checks.transfer import download, upload
from pytest_ovirt_release.checks.vm import GuestRun, Place
from pytest_ovirt_release.errors import CheckFailed, Unproven, Unreachable
from tests.unit.checks.fake_engine import FakeEngine
from tests.unit.checks.small_engine import Answer, SmallEngine, make_ca, serving
from tests.unit.checks.test_cycle import TARGET

IMAGE = "/images/t1"
DATA = b"challenge" * 100


class Daemons:
    """A node's image daemon, the engine's proxy, and an engine that names both."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        ca, ca_file = make_ca(folder)
        self.node, self.proxy = (stack.enter_context(serving(_tls(ca))) for _ in range(2))
        for daemon in (self.node, self.proxy):
            daemon.on(f"PUT {IMAGE}", Answer())
            daemon.on(f"GET {IMAGE}", Answer(body=DATA.decode()))
        self.engine = FakeEngine()
        self.engine.target = TARGET.model_copy(
            update={"engine": TARGET.engine.model_copy(update={"ca_file": ca_file})}
        )
        self.phases: list[str] = []
        self.urls = [self.url(self.node), self.url(self.proxy)]
        self.ended: list[str] = []
        vms = self.engine.vms
        vms.disk_status = lambda _: "ok"  # type: ignore[method-assign,assignment]
        vms.add_transfer = lambda *_: "t1"  # type: ignore[attr-defined]
        vms.transfer = lambda _: self.transfer()  # type: ignore[attr-defined]
        vms.finalize_transfer = lambda _: self.ended.append("finalized")  # type: ignore[attr-defined]
        vms.cancel_transfer = lambda _: self.ended.append("cancelled")  # type: ignore[method-assign,assignment]

    def transfer(self) -> Transfer:
        phase = "finished_success" if self.ended else "transferring"
        return Transfer("t1", phase, *self.urls)

    @staticmethod
    def url(daemon: SmallEngine) -> str:
        return daemon.url.replace("/ovirt-engine/api", IMAGE)


def _tls(ca: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def daemons(tmp_path: Path) -> Iterator[Daemons]:
    with ExitStack() as stack:
        yield Daemons(tmp_path, stack)


@pytest.fixture
def closed() -> str:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    return f"https://127.0.0.1:{port}{IMAGE}"


def test_the_node_is_asked_first_and_the_engine_s_proxy_not_at_all(daemons: Daemons) -> None:
    moved = upload(daemons.engine, "d1", DATA)  # type: ignore[arg-type] # the fake
    assert moved.url == daemons.urls[0]
    assert daemons.node.requests[0][2].encode() == DATA
    assert daemons.proxy.requests == []
    assert daemons.ended == ["finalized"]


def test_a_node_that_cannot_be_reached_is_gone_round_by_the_engine_s_proxy(
    daemons: Daemons, closed: str
) -> None:
    daemons.urls[0] = closed
    assert upload(daemons.engine, "d1", DATA).url == daemons.urls[1]  # type: ignore[arg-type]
    assert daemons.proxy.requests[0][2].encode() == DATA
    daemons.ended.clear()
    body, moved = download(daemons.engine, "d1", len(DATA))  # type: ignore[arg-type]
    assert (body, moved.url) == (DATA, daemons.urls[1])


def test_a_node_that_drops_the_upload_is_gone_round_too(daemons: Daemons) -> None:
    daemons.node.on(f"PUT {IMAGE}", Answer(drop=True))
    assert upload(daemons.engine, "d1", DATA).url == daemons.urls[1]  # type: ignore[arg-type]


def test_without_any_way_nothing_is_proven_and_the_transfer_is_cancelled(
    daemons: Daemons, closed: str
) -> None:
    daemons.urls[:] = [closed, closed]
    with pytest.raises(Unproven, match="the image daemon cannot be reached: https"):
        upload(daemons.engine, "d1", DATA)  # type: ignore[arg-type]
    assert daemons.ended == ["cancelled"]


def test_a_disk_that_goes_wrong_is_told_with_what_the_engine_said_and_where_the_logs_are(
    daemons: Daemons,
) -> None:
    daemons.engine.vms.disk_status = lambda _: "illegal"  # type: ignore[method-assign,assignment]
    daemons.engine.say(2002, "Add-Disk failed", correlation="rel-x")
    daemons.engine.say(1, "somebody else logged in")
    with pytest.raises(CheckFailed, match="illegal") as caught:
        upload(daemons.engine, "d1", DATA)  # type: ignore[arg-type] # the fake
    assert "last events: 2002 Add-Disk failed" in str(caught.value)
    assert "somebody else" not in str(caught.value)
    assert "vdsm.log" in str(caught.value)


def test_a_vm_that_is_gone_is_told_with_its_events_and_where_the_logs_are() -> None:
    engine = FakeEngine()
    engine.vms.start = lambda _: None  # type: ignore[attr-defined]
    engine.log.append(Event(1, 119, "error", "", "VM is down with error", None, None, "v1"))
    engine.say(1, "somebody else logged in")
    ledger = Ledger(lambda *_, **__: None, "abcd1234")
    run = GuestRun(engine, ledger, Place("c1", "sd1"), name="vm-on-nfs", cells=())  # type: ignore[arg-type] # the fake
    with pytest.raises(CheckFailed, match="gone") as caught:
        run._run("v1", 0)
    assert "last events: 119 VM is down with error; logs: " in str(caught.value)
    assert "/var/log/libvirt/qemu/rel-abcd1234-vm-on-nfs.log" in str(caught.value)


def test_a_refusal_is_no_reason_to_try_elsewhere(daemons: Daemons) -> None:
    daemons.node.on(f"PUT {IMAGE}", Answer(403, "You are not allowed"))
    with pytest.raises(CheckFailed, match="HTTP 403: You are not allowed"):
        upload(daemons.engine, "d1", DATA)  # type: ignore[arg-type]
    assert daemons.proxy.requests == []


@pytest.mark.parametrize(
    "variables", [("http_proxy", "https_proxy"), ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")]
)
def test_a_proxy_of_the_environment_is_ignored(
    daemons: Daemons, closed: str, variables: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in variables:
        monkeypatch.setenv(name, closed.replace("https", "http").removesuffix(IMAGE))
    assert upload(daemons.engine, "d1", DATA).url == daemons.urls[0]  # type: ignore[arg-type]


def test_the_target_s_proxy_is_used(daemons: Daemons) -> None:
    asked: list[str] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        thread = threading.Thread(target=_tunnel, args=(server, asked))
        thread.start()
        target = daemons.engine.target
        assert target is not None
        proxied = target.engine.model_copy(update={"proxy": f"http://127.0.0.1:{server.getsockname()[1]}"})
        daemons.engine.target = target.model_copy(update={"engine": proxied})
        assert upload(daemons.engine, "d1", DATA).url == daemons.urls[0]  # type: ignore[arg-type]
        thread.join(10)
    assert [line.rpartition(" HTTP/")[0] for line in asked] == [f"CONNECT {daemons.urls[0].split('/')[2]}"]
    assert daemons.node.requests[0][2].encode() == DATA


def test_a_certificate_is_looked_at_by_the_target_s_proxy(daemons: Daemons) -> None:
    asked: list[str] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        thread = threading.Thread(target=_tunnel, args=(server, asked))
        thread.start()
        target = daemons.engine.target
        assert target is not None
        context = ssl.create_default_context(cafile=str(target.engine.ca_file))
        endpoint = Endpoint.of(daemons.node.url, f"http://127.0.0.1:{server.getsockname()[1]}")
        connected(endpoint, context, 5).close()
        thread.join(10)
    assert asked[0].startswith(f"CONNECT 127.0.0.1:{endpoint.port} ")


def test_a_proxy_that_is_not_there_is_named(closed: str) -> None:
    proxy = closed.replace("https", "http").removesuffix(IMAGE)
    with pytest.raises(Unreachable, match=f"by the proxy {proxy}"):
        connected(Endpoint.of("https://127.0.0.1:9/", proxy), ssl.create_default_context(), 5)


def _tunnel(server: socket.socket, asked: list[str]) -> None:
    """Be a proxy for one connection."""
    client, _ = server.accept()
    with client:
        head = client.recv(65536).decode()
        asked.append(head.splitlines()[0])
        host, port = head.split()[1].split(":")
        with socket.create_connection((host, int(port)), timeout=10) as other:
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=_pump, args=(other, client))
            back.start()
            _pump(client, other)
            back.join(10)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


def test_the_engine_s_session_has_the_target_s_proxy_only(daemons: Daemons) -> None:
    import pycurl  # noqa: PLC0415 - only here

    from pytest_ovirt_release.checks.engine.session import BoundedConnection  # noqa: PLC0415 - only here

    for proxy in ("", "http://127.0.0.1:3128"):
        options: dict[int, object] = {}
        curl = SimpleNamespace(setopt=options.__setitem__)
        connection = BoundedConnection(
            flag=threading.Event(), ca_path=str(daemons.engine.target.engine.ca_file), proxy=proxy,  # type: ignore[union-attr]
            url=daemons.node.url, username="u", password="p",
        )  # fmt: skip
        connection._guard(curl)
        assert options[pycurl.PROXY] == proxy
