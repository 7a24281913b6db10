"""An engine of the lab as a recorded topic needs it: hosts at the recorded addresses, and a client in front."""

from __future__ import annotations

import base64
import re
import ssl
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

import urllib3

from tests.lab.contract.document import Names, parse
from tests.lab.contract.host import RecordedHost, RecordedSsh, RecordedStorage
from tests.lab.engine.fakes import PASSWORD

if TYPE_CHECKING:
    from tests.lab.contract.model import Exchange
    from tests.lab.engine.fakes import Bench, FakeNode

API = "/ovirt-engine/api"
SETTLED_SECONDS = 20.0
REPLY_SECONDS = 90
"""In real time an approve lasts as long as the installation and the reboot."""
COLLECTIONS = {"datacenter": "datacenters", "storagedomain": "storagedomains"}

CREDENTIALS: tuple[tuple[str, str], ...] = (
    ("bad-bearer", "Bearer no-such-token"),
    ("empty-bearer", "Bearer "),
    ("bad-basic-noprofile", "Basic " + base64.b64encode(b"admin:wrong").decode()),
    ("malformed-basic", "Basic " + base64.b64encode(b"admin").decode()),
    ("bad-basic", "Basic " + base64.b64encode(b"admin@internal:wrong").decode()),
    ("unknown-scheme", "Digest username=admin"),
)
"""Credentials are left out of the recordings; what they were stands in the exchange's name."""


@dataclass
class Answer:
    """One answer of the lab."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Stage:
    """A running engine, what is known of its ids, and a session; `token` is the last one that was handed out."""

    bench: Bench
    names: Names
    pool: urllib3.PoolManager
    token: str = ""
    own: str = ""
    before: int = 0
    ids: dict[str, str] = field(default_factory=dict)

    @classmethod
    def on(cls, bench: Bench) -> Stage:
        """Put a client in front of an engine and log in."""
        context = ssl.create_default_context(cafile=str(bench.ca_file))
        pool = urllib3.PoolManager(ssl_context=context, timeout=REPLY_SECONDS, retries=False)
        bench.exports = RecordedStorage()
        bench.ssh = RecordedSsh(nodes=bench.nodes)
        bench.engine.core.ssh = bench.ssh
        stage = cls(bench, Names(bench.engine.base, bench.engine.plain_base), pool)
        stage.own = stage.token = stage.log_in()
        return stage

    def log_in(self) -> str:
        """Return a new session's token."""
        body = f"grant_type=password&scope=ovirt-app-api&username=admin%40internal&password={quote(PASSWORD)}"
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        answer = self.pool.request(
            "POST", f"{self.bench.engine.base}/ovirt-engine/sso/oauth/token", body=body, headers=headers
        )
        return str(answer.json()["access_token"])

    def api(self, method: str, path: str, body: str | None = None) -> Answer:
        """Ask the API as the stage's own client."""
        return self.send(
            method,
            API + path,
            {"Authorization": f"Bearer {self.own}", "Content-Type": "application/xml"},
            body,
        )

    def send(
        self, method: str, path: str, headers: dict[str, str], body: str | None, scheme: str = "https"
    ) -> Answer:
        """Send one request and read the answer to its end; redirects are not followed."""
        engine = self.bench.engine
        base = engine.plain_base if scheme == "http" else engine.base
        found = self.pool.request(
            method, base + path, headers=headers, body=body, redirect=False, decode_content=True
        )
        return Answer(found.status, {k.lower(): v for k, v in found.headers.items()}, found.data)

    def ask(self, exchange: Exchange) -> Answer:
        """Send what was recorded, with this engine's ids and credentials."""
        headers = dict(exchange.headers)
        if "Authorization" in headers:
            headers["Authorization"] = self._credentials(exchange)
        body = exchange.body
        if body is not None and (big := re.match(r"\{(\d+) characters\}(.*)", body, re.DOTALL)):
            body = big[2][:-1] + big[2][-1] * (int(big[1]) - len(big[2]) + 1)
        if body is not None:
            body = self.bound(body)
            if not body.startswith("<"):  # in a document it is an element
                body = body.replace("<password>", quote(PASSWORD)).replace("<access_token>", self.token)
        path = self.bound(exchange.path).replace("<password>", quote(PASSWORD))
        answer = self.send(exchange.method, path, headers, body, exchange.scheme)
        if answer.body.startswith(b'{"access_token"'):
            self.token = re.search(rb'"access_token":"([^"]+)"', answer.body)[1].decode()  # type: ignore[index]
        self.names.learn(answer.body)
        return answer

    def _credentials(self, exchange: Exchange) -> str:
        for part, value in CREDENTIALS:
            if part in exchange.name:
                return value
        if exchange.headers["Authorization"].startswith("Basic"):
            return "Basic " + base64.b64encode(f"admin@internal:{PASSWORD}".encode()).decode()
        used = self.token if "token" in exchange.name or "logout" in exchange.name else self.own
        return f"Bearer {used}"

    def bound(self, text: str) -> str:
        """Return a text with this engine's ids for the names."""
        return re.sub(r"\{[a-z]+[:#][^}]*\}", lambda m: self.id_of(m[0]), text)

    def id_of(self, symbol: str) -> str:
        """Return the id of an object by kind and name; it stays the same when the object is renamed or removed."""
        if symbol == "{event:before}":
            return str(self.before)
        if symbol not in self.ids:
            known = {name: id_ for id_, name in self.names.known.items()}
            self.ids[symbol] = known.get(symbol) or self._look_up(symbol)
        return self.ids[symbol]

    def _look_up(self, symbol: str) -> str:
        kind, _, name = symbol.strip("{}").partition(":")
        answer = self.api("GET", f"/{kind}s")
        root = parse(answer.body)
        for element in root if root is not None else ():
            if element.findtext("name") == name:
                return element.get("id") or ""
        raise LookupError(f"this engine has no {kind} {name}")

    def node(self, address: str) -> FakeNode:
        """Return the host at an address, made when nobody has asked for it yet."""
        nodes = self.bench.nodes
        if address not in nodes:
            last = int(address.rsplit(".", 1)[1])
            host = RecordedHost(address, self.bench.exports, f"00000000-aaaa-4bbb-8ccc-{last:012d}")
            host.speed = self.bench.engine.core.clock.speed
            nodes[address] = host
            self.bench.engine.core.nodes[address] = nodes[address]
        return nodes[address]

    def host_up(self, name: str, address: str, *, by_password: bool = True) -> None:
        """Register a host and approve it, and wait until it is up; with a password the engine learns its SSH key."""
        node = self.node(address)
        query = f"version=1&command=register&sshUser=root&sshPort=22&port=54321&name={name}&address={address}&uniqueId={node.uuid}"
        registered = self.send("GET", f"/ovirt-engine/services/host-register?{query}", {}, None)
        assert registered.status == 200, registered.body
        password = "<root_password>fakepass</root_password>" if by_password else ""
        approved = self.api(
            "POST",
            f"/hosts/{self.id_of(f'{{host:{name}}}')}/approve",
            f"<action>{password}<reboot>false</reboot></action>",
        )
        assert approved.status == 200, approved.body
        self.until(f"/hosts/{self.id_of(f'{{host:{name}}}')}", "status", "up")

    def nfs_attached(self, name: str, host: str) -> None:
        """Add an NFS data domain and attach it to the data center Default."""
        body = (
            f"<storage_domain><name>{name}</name><type>data</type><host><name>{host}</name></host><storage><type>nfs"
            "</type><address>127.0.0.1</address><nfs_retrans>3</nfs_retrans><nfs_timeo>100</nfs_timeo>"
            "<nfs_version>v4_2</nfs_version><path>/exports/data1</path></storage></storage_domain>"
        )
        added = self.api("POST", "/storagedomains", body)
        assert added.status == 201, added.body
        center, domain = self.id_of("{datacenter:Default}"), self.id_of(f"{{storagedomain:{name}}}")
        attached = self.api(
            "POST", f"/datacenters/{center}/storagedomains", f'<storage_domain id="{domain}"/>'
        )
        assert attached.status == 201, attached.body
        self.until(f"/datacenters/{center}", "status", "up")

    def alert(self, name: str) -> None:
        """Leave the alert in the log that a host of this name once caused."""
        text = f"Failed to verify Power Management configuration for Host {name}."
        self.bench.engine.core.events.add(9000, text, None, {"host": ("", name)})

    def until(self, path: str, field_: str, wanted: str) -> None:
        """Wait until a field of an object has a value."""
        end = time.monotonic() + SETTLED_SECONDS
        while True:
            root = parse(self.api("GET", path).body)
            found = None if root is None else root.findtext(field_)
            if found == wanted:
                return
            assert time.monotonic() < end, f"{path}: {field_} is still {found}"
            time.sleep(0.01)
