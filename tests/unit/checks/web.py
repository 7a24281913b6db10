"""A small web server on a loopback port: files, hostile answers, and git repositories by git's own backend."""

from __future__ import annotations

import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Serves `answers` by path, git below /git/, and files from `root`."""

    root: ClassVar[Path]
    answers: ClassVar[dict[str, Answer]]
    closing: ClassVar[threading.Event]

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path in self.answers:
            self.answers[path](self)
        elif path.startswith("/git/"):
            self._git()
        elif (self.root / path.lstrip("/")).is_file():
            self.send((self.root / path.lstrip("/")).read_bytes())
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        self._git()

    def send(self, body: bytes, status: int = 200, **headers: str) -> None:
        """Answer with a body; header names have _ for -."""
        self.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _git(self) -> None:
        path, _, query = self.path.removeprefix("/git").partition("?")
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.root / "git"),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": self.headers.get("Content-Length", "0"),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        body = self.rfile.read(int(env["CONTENT_LENGTH"] or 0))
        done = subprocess.run(
            ["git", "http-backend"], input=body, env=env, capture_output=True, check=False, timeout=30
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n"))
        status = int(fields.pop("Status", "200").split()[0])
        fields.pop("Content-Length", None)
        self.send(content, status, **{name.replace("-", "_"): value for name, value in fields.items()})


class Web:
    """The running server: `url` without a slash at its end, `answers` by path, files below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.answers: dict[str, Answer] = {}
        self.closing = threading.Event()
        handler = type("Bound", (Handler,), {"root": root, "answers": self.answers, "closing": self.closing})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def put(self, path: str, content: bytes) -> str:
        """Serve a file and return its address."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return f"{self.url}/{path}"

    def close(self) -> None:
        """End the server."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def running(root: Path) -> Iterator[Web]:
    """Yield a server for the length of a test."""
    web = Web(root)
    yield web
    web.close()
