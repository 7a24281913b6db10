"""Where the engine listens: web servers inside the lab's own event loop, on loopback ports the system chooses."""

from __future__ import annotations

import asyncio
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.applications import Starlette

LOOPBACK = "127.0.0.1"
START_DEADLINE = 10.0
STOP_DEADLINE = 10.0
HEADER_LIMIT = 128 * 1024
"""Longest request head; the real engine took 70 KB."""


class _Server(uvicorn.Server):
    """uvicorn inside somebody else's event loop: signals are the lab's business."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the process's signal handlers alone."""
        yield


class Listener:
    """One port of the engine: plain HTTP, or HTTPS when it has a certificate."""

    def __init__(self, certificate: Path | None = None, key: Path | None = None) -> None:
        """Take a port; nothing answers on it before start."""
        self._certificate = certificate
        self._key = key
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None
        # With the protocol named, asyncio turns Nagle's algorithm off; else every answer waits 40 ms for an ACK.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((LOOPBACK, 0))
        scheme = "http" if certificate is None else "https"
        self.base = f"{scheme}://{LOOPBACK}:{self._socket.getsockname()[1]}"

    async def start(self, application: Starlette) -> None:
        """Answer with an application; returns when connections are taken."""
        config = uvicorn.Config(
            application,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            h11_max_incomplete_event_size=HEADER_LIMIT,
            ssl_certfile=None if self._certificate is None else str(self._certificate),
            ssl_keyfile=None if self._key is None else str(self._key),
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

    async def stop(self) -> None:
        """Stop listening and drop the connections that are open."""
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            # A client that keeps its connection open must not hold up the lab's end.
            for connection in list(self._server.server_state.connections):
                if (transport := getattr(connection, "transport", None)) is not None:
                    transport.abort()
            done, _ = await asyncio.wait({self._serving}, timeout=STOP_DEADLINE)
            if not done:
                self._serving.cancel()
        self._socket.close()
