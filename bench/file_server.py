"""A web server of its own process for benchmarks: files by sendfile, and git repositories by git's own backend."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Handler(BaseHTTPRequestHandler):
    """Serves the folder it was started in; `slowness` seconds pass before git's first answer."""

    slowness = 0.0

    def do_GET(self) -> None:
        """Send a file, or ask git."""
        if self.path.startswith("/git/"):
            time.sleep(self.slowness)
            self._git()
            return
        with Path(self.path.lstrip("/")).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            self.send_response(200)
            self.send_header("Content-Length", str(size))
            self.end_headers()
            self.wfile.flush()
            at = 0
            while at < size:
                at += os.sendfile(self.connection.fileno(), file.fileno(), at, size - at)

    def do_POST(self) -> None:
        """Ask git."""
        self._git()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _git(self) -> None:
        path, _, query = self.path.removeprefix("/git").partition("?")
        length = self.headers.get("Content-Length", "0")
        env = {
            "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": str(Path("git").absolute()), "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command, "PATH_INFO": path, "QUERY_STRING": query, "CONTENT_LENGTH": length,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }  # fmt: skip
        body = self.rfile.read(int(length))
        done = subprocess.run(
            ("git", "http-backend"), input=body, env=env, capture_output=True, check=True, timeout=30
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        self.send_response(200)
        for line in head.decode().split("\r\n"):
            name, _, value = line.partition(": ")
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def serving(folder: Path, *, slowness: float = 0.0) -> Iterator[str]:
    """Serve a folder from another process; yield its address."""
    command = (sys.executable, "-m", "bench.file_server", str(folder), str(slowness))
    with subprocess.Popen(
        command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process.stdout.readline().strip() if process.stdout else ""
        finally:
            process.kill()


def main() -> None:
    """Serve until killed; the first line says where."""
    folder, Handler.slowness = sys.argv[1], float(sys.argv[2])
    os.chdir(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
