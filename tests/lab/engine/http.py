"""Plain HTTPS requests to an engine of the tests."""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass
from urllib.parse import urlencode

import urllib3

from tests.lab.engine.fakes import PASSWORD, Bench


@dataclass
class Answer:
    """A response, read to its end."""

    status: int
    headers: urllib3.HTTPHeaderDict
    text: str


class Http:
    """Plain HTTPS requests to an engine: what the SDK hides."""

    def __init__(self, bench: Bench) -> None:
        context = ssl.create_default_context(cafile=str(bench.ca_file))
        self.pool = urllib3.PoolManager(ssl_context=context, timeout=20, retries=False, maxsize=4)
        self.base = bench.engine.base

    def __call__(
        self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        response = self.pool.request(
            method, self.base + path, body=body, headers=headers or {}, redirect=False
        )
        return Answer(response.status, response.headers, response.data.decode())

    def api(
        self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        common = urllib3.make_headers(basic_auth=f"admin@internal:{PASSWORD}")
        common |= {"Content-Type": "application/xml", "Accept": "application/xml"}
        return self(method, "/ovirt-engine/api" + path, body, common | (headers or {}))

    def token(self, accept: str = "application/json", **fields: str) -> tuple[int, dict[str, str]]:
        headers = {"Accept": accept, "Content-Type": "application/x-www-form-urlencoded"}
        answer = self("POST", "/ovirt-engine/sso/oauth/token", urlencode(fields), headers)
        return answer.status, json.loads(answer.text)

    def register(self, **fields: str) -> Answer:
        wish = {"version": "1", "command": "register", "sshPort": "2222", "uniqueId": "uid-1"}
        wish |= {"name": "node-1", "address": "127.0.0.2"}
        query = urlencode(wish | fields)
        return self("GET", f"/ovirt-engine/services/host-register?{query}")
