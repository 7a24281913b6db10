"""A tiny HTTP(S) engine whose answers a test scripts: logins, faults, pages, silence."""

from __future__ import annotations

import json
import ssl
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import trustme

from pytest_ovirt_release.checks.engine import Engine
from pytest_ovirt_release.target.model import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

API = "/ovirt-engine/api"
ROOT = (
    "<api><product_info><name>oVirt Engine</name><vendor>ovirt.org</vendor>"
    "<version><full_version>4.5.7-1.el9</full_version></version></product_info></api>"
)


@dataclass
class Answer:
    """One answer: status, body, content type; `seconds` of silence before it; `drop`: none at all."""

    status: int = 200
    body: str = ""
    kind: str | None = "application/xml;charset=UTF-8"
    seconds: float = 0.0
    drop: bool = False


@dataclass
class SmallEngine:
    """Scripted answers by `METHOD path`; the last of a list stays. Requests are remembered."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    password: str = "right+pass&word"
    tokens: int = 0
    dead: set[str] = field(default_factory=set)
    url: str = ""
    ended: threading.Event = field(default_factory=threading.Event)

    def on(self, request: str, *answers: Answer) -> None:
        self.answers[request] = list(answers)

    def asked(self, request: str) -> int:
        return sum(1 for line, _, _ in self.requests if line == request)

    def reply(self, line: str, headers: dict[str, str], body: str) -> Answer:
        self.requests.append((line, headers, body))
        path = line.partition(" ")[2].partition("?")[0]
        if line in self.answers:
            queue = self.answers[line]
            return queue.pop(0) if len(queue) > 1 else queue[0]
        if path.endswith("/sso/oauth/token"):
            return self.login(body)
        if path.endswith("/services/sso-logout"):
            return Answer(body="{ }", kind="application/json")
        token = headers.get("authorization", "")
        if token in self.dead or not token.startswith("Bearer "):
            return Answer(401, "<html><body>Unauthorized</body></html>", "text/html;charset=UTF-8")
        return Answer(body=ROOT) if path == API else Answer(404, "", None)

    def login(self, body: str) -> Answer:
        if "password=right%2Bpass%26word" not in body:
            refused = {"error_code": "access_denied", "error": "Cannot authenticate user 'admin@internal'"}
            return Answer(400, json.dumps(refused), "application/json")
        self.tokens += 1
        return Answer(body=json.dumps({"access_token": f"t{self.tokens}"}), kind="application/json")


def _handler(engine: SmallEngine) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            headers = {k.lower(): v for k, v in self.headers.items()}
            answer = engine.reply(f"{self.command} {self.path}", headers, body)
            engine.ended.wait(answer.seconds)
            if answer.drop:
                self.close_connection = True
                return
            try:
                self.send_response(answer.status)
                if answer.kind is not None:
                    self.send_header("Content-Type", answer.kind)
                self.send_header("Content-Length", str(len(answer.body.encode())))
                self.end_headers()
                self.wfile.write(answer.body.encode())
            except OSError:
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    for method in ("GET", "POST", "PUT", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.answer)
    return Handler


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        pass  # clients that go away in mid-request are what some tests are about


@contextmanager
def serving(
    tls: ssl.SSLContext | None = None, *, port: int = 0, engine: SmallEngine | None = None
) -> Iterator[SmallEngine]:
    engine = engine or SmallEngine()
    server = Server(("127.0.0.1", port), _handler(engine))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    engine.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}{API}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield engine
    finally:
        engine.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


def make_ca(folder: Path) -> tuple[trustme.CA, Path]:
    ca = trustme.CA(organization_name="Example Org")
    path = folder / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return ca, path


def make_target(folder: Path, url: str, ca_file: Path, password: str, **deadlines: float) -> Target:
    secret = folder / "password"
    secret.write_text(password + "\n")
    secret.chmod(0o600)
    return Target.model_validate(
        {
            "schema": "ovirt-release-target/1",
            "name": "small",
            "engine": {"url": url, "ca_file": ca_file, "password_file": secret},
            "nodes": [
                {
                    "name": "node-1",
                    "address": "127.0.0.2",
                    "storage": "nfs",
                    "ssh": {"address": "127.0.0.2", "host_key": "ssh-ed25519 AAAA"},
                }
            ],
            "storage": {"nfs": {"address": "127.0.0.1", "path": "/exports/data"}},
            "deadlines": {"request": 2, "restart": 1, **deadlines},
        }
    )


def quick(act: Callable[[], object], limit: float = 6.0) -> float:
    """Run and return the seconds it took; far more than the deadline means that nothing bounded it."""
    start = time.monotonic()
    act()
    taken = time.monotonic() - start
    assert taken < limit
    return taken


def connect(target: Target, met: list[str] | None = None, flag: threading.Event | None = None) -> Engine:
    said: list[str] = [] if met is None else met
    return Engine(target, "abcd1234", lambda where, text: said.append(f"{where}: {text}"), flag=flag)
