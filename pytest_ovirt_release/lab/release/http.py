"""The download site over HTTP: files as they lie on disk, and git's own smart HTTP program behind them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from pytest_ovirt_release.lab.release import git

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.requests import Request

LARGEST_REQUEST = 4 * 1024 * 1024
"""Bytes of a request's body that are read; a fetch sends a few hundred."""

GIT_DEADLINE = 60
"""Seconds that git may take for one request."""

START_DEADLINE = 10
"""Seconds until the server must listen."""

log = logging.getLogger(__name__)


class Server(uvicorn.Server):
    """A uvicorn server that lives in somebody else's event loop and leaves signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the lab."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets=sockets)
        self.listening.set()


class Site:
    """Serves `folder`/{git,downloads,packages} on a socket; starts and stops inside a running event loop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._server: Server | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def base(self) -> str:
        """The site's address, without a slash at its end; known before the site serves anything."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    async def start(self) -> None:
        """Serve; returns once requests are answered."""
        config = uvicorn.Config(
            application(self._folder),
            log_config=None,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=1,
            server_header=False,
        )
        self._server = Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]), name="release site")
        listening = asyncio.create_task(self._server.listening.wait())
        await asyncio.wait(
            {listening, self._task}, timeout=START_DEADLINE, return_when=asyncio.FIRST_COMPLETED
        )
        if not listening.done():
            listening.cancel()
            raise OSError(f"the release site did not start to listen on {self.base}")

    async def stop(self) -> None:
        """End all answers and close the socket."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task
        self._socket.close()


def application(folder: Path) -> Starlette:
    """Return the site as an ASGI application."""

    async def answer(request: Request) -> Response:
        return await _git(request, folder / "git")

    return Starlette(
        routes=[
            Route("/git/{path:path}", answer, methods=["GET", "POST"]),
            Mount("/downloads", StaticFiles(directory=folder / "downloads", check_dir=False)),
            Mount("/packages", StaticFiles(directory=folder / "packages", check_dir=False)),
        ]
    )


async def _git(request: Request, root: Path) -> Response:
    path = request.path_params["path"]
    listing = path.endswith("/info/refs") and request.query_params.get("service") == "git-upload-pack"
    fetching = path.endswith("/git-upload-pack") and request.method == "POST"
    if not listing and not fetching:
        return PlainTextResponse("this site is read over git's smart HTTP only\n", status_code=403)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_REQUEST:
            return PlainTextResponse(f"a request may have {LARGEST_REQUEST} bytes\n", status_code=413)
    code, output, said = await _backend(_cgi(request, root, path, len(body)), bytes(body))
    if code != 0 or b"\r\n\r\n" not in output:
        log.error(
            "git http-backend ended with %s for /git/%s: %s",
            code,
            path,
            said.decode(errors="replace").strip(),
        )
        return PlainTextResponse("git http-backend failed\n", status_code=502)
    return cgi_response(output)


def cgi_response(output: bytes) -> Response:
    """Turn what a CGI program wrote (header lines, empty line, body) into a response."""
    head, _, content = output.partition(b"\r\n\r\n")
    fields = [line.partition(":") for line in head.decode("latin-1").split("\r\n")]
    headers = {name.strip(): value.strip() for name, _, value in fields}
    status = int(headers.pop("Status", "200").split()[0])
    return Response(content, status_code=status, headers=headers)


def _cgi(request: Request, root: Path, path: str, length: int) -> dict[str, str]:
    given = {
        "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
        "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
    }
    return {
        **git.environment(),
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GATEWAY_INTERFACE": "CGI/1.1",
        "REQUEST_METHOD": request.method,
        "PATH_INFO": f"/{path}",
        "QUERY_STRING": request.url.query,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(length),
        "REMOTE_ADDR": "127.0.0.1",
        **{name: value for name, value in given.items() if value},
    }


async def _backend(environment: dict[str, str], body: bytes) -> tuple[int, bytes, bytes]:
    process = await asyncio.create_subprocess_exec(
        "git",
        "http-backend",
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, said = await asyncio.wait_for(process.communicate(body), GIT_DEADLINE)
    except TimeoutError:
        return -1, b"", f"did not end within {GIT_DEADLINE} s".encode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, output, said
