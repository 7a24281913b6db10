"""Small TLS servers of the corpus: a few pages each, on loopback, ended with the test session."""

from __future__ import annotations

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar


class _Handler(BaseHTTPRequestHandler):
    pages: ClassVar[dict[str, bytes]]

    def do_GET(self) -> None:
        body = self.pages.get(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, context: ssl.SSLContext, pages: dict[str, bytes]) -> None:
        self.context = context
        super().__init__(("127.0.0.1", 0), type("Bound", (_Handler,), {"pages": pages}))

    def finish_request(self, request: object, client_address: object) -> None:
        request.settimeout(20)  # type: ignore[attr-defined] # a socket
        try:
            with self.context.wrap_socket(request, server_side=True) as secure:  # type: ignore[arg-type] # a socket
                super().finish_request(secure, client_address)
        except OSError:
            return  # a client that does not like us: that is the point


def served(context: ssl.SSLContext, pages: dict[str, bytes]) -> str:
    """Serve pages until the process ends; return the address."""
    server = _Server(context, pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"https://127.0.0.1:{server.server_address[1]}/ovirt-engine/api"
