"""The lab's engine: HTTPS on loopback, one event loop, one owner of all state."""

from __future__ import annotations

import asyncio
import socket
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import uvicorn
from starlette.applications import Starlette
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route as Path_

from pytest_ovirt_release.lab.engine.api import Api
from pytest_ovirt_release.lab.engine.auth import Doorkeeper
from pytest_ovirt_release.lab.engine.core import Core, SshAccess
from pytest_ovirt_release.lab.engine.monitoring import watch_hosts, watch_vms
from pytest_ovirt_release.lab.engine.pages import error_line, front, missing_page
from pytest_ovirt_release.lab.engine.running import BYSTANDER
from pytest_ovirt_release.lab.engine.services import Services
from pytest_ovirt_release.lab.engine.sso import Sso
from pytest_ovirt_release.lab.engine.state import Cluster, DataCenter, Host

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from starlette.requests import Request

    from pytest_ovirt_release.lab.clock import Clock
    from pytest_ovirt_release.lab.node.verbs import Node

    Servlet = Callable[[Request], Awaitable[Response]]

LOOPBACK = "127.0.0.1"
BYSTANDER_ADDRESS = "127.0.0.9"
START_DEADLINE = 10.0
STOP_DEADLINE = 10.0
HEADER_LIMIT = 128 * 1024
"""Longest request head; the real engine took 70 KB."""

ANY = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"]


class Pki(Protocol):
    """The certificates: the CA's, the engine's, and those of an unrelated CA."""

    ca_pem: bytes
    engine_cert: Path
    engine_key: Path
    stranger_cert: Path
    stranger_key: Path


class _Server(uvicorn.Server):
    """uvicorn inside somebody else's event loop: signals are the lab's business."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the process's signal handlers alone."""
        yield


class LabEngine:
    """A small oVirt engine.

    Args:
        clock: scales every wait of the engine.
        faults: names from the fault table; the engine shows those that are its own.
        nodes: what answers at an address, as vdsm would.
        pki: see Pki; under `ca-mismatch` the engine shows the stranger's certificate.
        folder: for the logs of host deployments.
        admin_password: of admin@internal.
        ssh: how the engine logs in to nodes.
    """

    def __init__(  # noqa: PLR0913 - the parts of a lab
        self,
        *,
        clock: Clock,
        faults: frozenset[str],
        nodes: dict[str, Node],
        pki: Pki,
        folder: Path,
        admin_password: str,
        ssh: SshAccess,
    ) -> None:
        """Take the parts; nothing is opened before start."""
        self.core = Core(clock=clock, faults=faults, nodes=nodes, folder=folder, ssh=ssh)
        self._pki = pki
        self._doorkeeper = Doorkeeper(admin_password)
        self._socket: socket.socket | None = None
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def base(self) -> str:
        """Address of the engine, without a path."""
        if self._socket is None:
            raise RuntimeError("the engine has not been started")
        return f"https://{LOOPBACK}:{self._socket.getsockname()[1]}"

    @property
    def url(self) -> str:
        """Address of the API."""
        return f"{self.base}/ovirt-engine/api"

    async def start(self) -> None:
        """Seed the state, listen on a port that the system chooses, and begin to watch hosts and VMs."""
        await self._seed()
        mismatch = "ca-mismatch" in self.core.faults
        certificate = self._pki.stranger_cert if mismatch else self._pki.engine_cert
        key = self._pki.stranger_key if mismatch else self._pki.engine_key
        # With the protocol named, asyncio turns Nagle's algorithm off; else every answer waits 40 ms for an ACK.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((LOOPBACK, 0))
        config = uvicorn.Config(
            self._application(certificate.read_text(encoding="utf-8")),
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            h11_max_incomplete_event_size=HEADER_LIMIT,
            ssl_certfile=str(certificate),
            ssl_keyfile=str(key),
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config)
        self._serving = asyncio.get_running_loop().create_task(self._server.serve([self._socket]))
        async with asyncio.timeout(START_DEADLINE):
            while not self._server.started:
                if self._serving.done():
                    await self._serving
                    raise RuntimeError("the engine's web server ended while it was starting")
                await asyncio.sleep(0.01)
        self.core.spawn(watch_hosts(self.core))
        self.core.spawn(watch_vms(self.core))

    async def stop(self) -> None:
        """Stop listening and end what runs in the background."""
        await self.core.stop()
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            # A client that keeps its connection open must not hold up the lab's end.
            for connection in list(self._server.server_state.connections):
                if (transport := getattr(connection, "transport", None)) is not None:
                    transport.abort()
            done, _ = await asyncio.wait({self._serving}, timeout=STOP_DEADLINE)
            if not done:
                self._serving.cancel()
        if self._socket is not None:
            self._socket.close()

    async def _seed(self) -> None:
        """Make what a fresh engine has, and the bystander: a host that is up in cluster Default."""
        state = self.core.state
        data_center = DataCenter(
            str(uuid.uuid4()), "Default", local=False, description="The default Data Center"
        )
        state.data_centers[data_center.id] = data_center
        cluster = Cluster(
            str(uuid.uuid4()),
            "Default",
            data_center.id,
            "The default server cluster",
            architecture="x86_64",
            cpu_type="Secure Intel Haswell Family",
            bios_type="q35_ovmf",
        )
        state.clusters[cluster.id] = cluster
        node = self.core.nodes.get(BYSTANDER_ADDRESS)
        if node is None:
            return
        facts = await self.core.ask(node.host_get_capabilities())
        host = Host(str(uuid.uuid4()), BYSTANDER, BYSTANDER_ADDRESS, cluster.id, facts.uuid, status="up")
        host.capabilities = facts
        state.hosts[host.id] = host

    def _application(self, engine_pem: str) -> Starlette:
        sso = Sso(self.core, self._doorkeeper)
        services = Services(self.core, self._pki.ca_pem.decode(), engine_pem)
        api = Api(self.core, sso)
        engine = "/ovirt-engine"
        routes = [
            Path_("/", _to(engine)),
            Path_(engine, _to(engine + "/")),
            Path_(engine + "/", _front),
            Path_(engine + "/services/health", _reading(services.health), methods=ANY),
            Path_(engine + "/services/pki-resource", _reading(services.pki_resource), methods=ANY),
            Path_(engine + "/services/host-register", _reading(services.host_register), methods=ANY),
            Path_(engine + "/services/sso-logout", sso.logout, methods=ANY),
            Path_(engine + "/sso/status", sso.status),
            Path_(engine + "/sso/oauth/token", sso.token, methods=ANY),
            Path_(engine + "/sso/oauth/token-http-auth", sso.http_token, methods=ANY),
            Path_(engine + "/sso/oauth/token-info", sso.with_client, methods=ANY),
            Path_(engine + "/sso/oauth/revoke", sso.with_client, methods=ANY),
            Path_(engine + "/api", api.__call__, methods=ANY),
            Path_(engine + "/api/{path:path}", api.__call__, methods=ANY),
            Path_(engine + "/{path:path}", _missing, methods=ANY),
            Path_("/{path:path}", _not_found, methods=ANY),
        ]
        application = Starlette(routes=routes)
        application.router.redirect_slashes = False
        return application


def _reading(handler: Servlet) -> Servlet:
    """Return a servlet that only reads: other methods get the page for that."""

    async def serve(request: Request) -> Response:
        return await handler(request) if request.method in {"GET", "HEAD"} else missing_page(405)

    return serve


def _to(where: str) -> Servlet:
    async def redirect(request: Request) -> Response:
        return RedirectResponse(f"{request.url.scheme}://{request.headers.get('host', '')}{where}", 302)

    return redirect


async def _front(_request: Request) -> Response:
    return front()


async def _missing(_request: Request) -> Response:
    return missing_page()


async def _not_found(_request: Request) -> Response:
    return error_line(404, "Not Found")
