"""What the lab's engine costs: its answers beside a plain web application's, its start, its memory.

Answers are compared in turns within one run, by the same server, TLS and client, for bodies of the same size.
Nothing fails here: a busy machine must not break a build. `nox -s bench` runs it too.
"""

from __future__ import annotations

import argparse
import os
import re
import ssl
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection
from typing import TYPE_CHECKING

import urllib3

from bench.ratios import Line, ratio
from pytest_ovirt_release.lab.main import OWN_PAGE
from pytest_ovirt_release.target.lab_process import LabProcess, start_lab
from pytest_ovirt_release.target.loading import load_target

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECTIONS = 4
"""Requests under way at once: enough that the server never waits for the client."""

LISTED, KEPT = 100, 1000
"""VMs of the list that is timed; VMs when memory is read."""

SLOWER, START, MEMORY = 2.0, 1.5, 150.0
"""Budgets: times slower than the plain application, seconds, MiB."""

KIB = 1024
VM = "<vm><name>vm-{}</name><cluster><name>Default</name></cluster><template><name>Blank</name></template></vm>"


@dataclass(frozen=True)
class Amounts:
    """How much is measured, and how often."""

    requests: int = 2000
    turns: int = 9
    starts: int = 5


QUICK = Amounts(requests=400, turns=3, starts=2)


class Client:
    """Asks one server over keep-alive connections: a request on each, then all answers."""

    def __init__(self, pid: int, port: int, ca: Path, head: str) -> None:
        """Take the server's process id and port, and what follows the request line."""
        self._pid = pid
        self._context = ssl.create_default_context(cafile=str(ca))
        self._port = port
        self._head = f"Host: 127.0.0.1:{port}\r\n{head}\r\n"

    def size(self, path: str) -> int:
        """Return the size of a path's body."""
        with self._connected() as connections:
            return self._get(path, connections)

    def rate(self, path: str, count: int) -> float:
        """Return how many requests a second are answered; connecting is not counted."""
        with self._connected() as connections:
            began = time.perf_counter()
            for _ in range(count // CONNECTIONS):
                self._get(path, connections)
            return (count // CONNECTIONS) * CONNECTIONS / (time.perf_counter() - began)

    def cpu(self) -> float:
        """Return the seconds of CPU that the server has used."""
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @contextmanager
    def _connected(self) -> Iterator[list[ssl.SSLSocket]]:
        # Anew each time: a server closes what was idle for five seconds.
        with ExitStack() as stack:
            yield [
                stack.enter_context(
                    self._context.wrap_socket(
                        create_connection(("127.0.0.1", self._port), 20), server_hostname="127.0.0.1"
                    )
                )
                for _ in range(CONNECTIONS)
            ]

    def _get(self, path: str, connections: list[ssl.SSLSocket]) -> int:
        request = f"GET {path} HTTP/1.1\r\n{self._head}".encode()
        for connection in connections:
            connection.sendall(request)
        return max(_body(connection) for connection in connections)


def _body(connection: ssl.SSLSocket) -> int:
    """Read an answer; return the size of its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    found = re.search(rb"(?i)content-length: (\d+)", head)
    if found is None or not head.startswith(b"HTTP/1.1 200"):
        sys.exit(f"unexpected answer: {data[:300]!r}")
    left = int(found[1]) - len(body)
    while left > 0:
        left -= len(_some(connection))
    return int(found[1])


def _some(connection: ssl.SSLSocket) -> bytes:
    data = connection.recv(1 << 16)
    if not data:
        sys.exit("the server closed a connection in the middle of an answer")
    return data


def main() -> None:
    """Print one line for each budget as soon as it is measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="less exact, in a few seconds")
    amounts = QUICK if parser.parse_args().quick else Amounts()
    print(_starting(amounts), flush=True)
    lab = start_lab(OWN_PAGE, "20", ())
    try:
        for line in _serving(amounts, lab):
            print(line, flush=True)
    finally:
        lab.stop(Path("/dev/null"))


def _starting(amounts: Amounts) -> Line:
    """Return how long the whole lab takes from its command to its ready line."""
    took = []
    for _ in range(amounts.starts):
        began = time.perf_counter()
        lab = start_lab(OWN_PAGE, "20", ())
        took.append(time.perf_counter() - began)
        lab.stop(Path("/dev/null"))
    return Line(
        "lab: from its command to ready", min(took), "s", START, f"slowest of {len(took)}: {max(took):.2f} s"
    )


def _serving(amounts: Amounts, lab: LabProcess) -> Iterator[Line]:
    engine = load_target(lab.target).engine
    base = engine.url.removesuffix("/api")
    pool = urllib3.PoolManager(ca_certs=str(engine.ca_file))
    fields = {
        "grant_type": "password",
        "scope": "ovirt-app-api",
        "username": engine.user,
        "password": (lab.folder / "engine.password").read_text().strip(),
    }
    token = pool.request_encode_body(
        "POST", f"{base}/sso/oauth/token", fields, {"Accept": "application/json"}, encode_multipart=False
    ).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/xml"}
    port = urllib3.util.parse_url(engine.url).port or 0
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    client = Client(lab.process.pid, port, engine.ca_file, head)

    def add(numbers: range) -> None:
        for number in numbers:
            pool.request("POST", f"{engine.url}/vms", body=VM.format(number), headers=headers)

    add(range(LISTED))
    with _plain(lab.folder / "engine-machine" / "pki", engine.ca_file, head) as plain:
        for path in ("/ovirt-engine/api", "/ovirt-engine/api/vms"):
            yield _beside(amounts, client, plain, path)
    add(range(LISTED, KEPT))
    client.size("/ovirt-engine/api/vms")
    yield Line(f"lab: memory with {KEPT} VMs", _memory(lab.process.pid), "MiB", MEMORY)


def _beside(amounts: Amounts, engine: Client, plain: Client, path: str) -> Line:
    """Return how many times slower the engine answers than the plain application, in turns."""
    size = engine.size(path)
    count = amounts.requests if size < 1 << 16 else amounts.requests // 5
    engine.rate(path, count // 5)
    plain.rate(f"/{size}", count // 5)
    rates: dict[str, list[float]] = {"engine": [], "plain": []}
    before = engine.cpu(), plain.cpu()
    for turn in range(amounts.turns):
        for name in ("engine", "plain")[:: 1 if turn % 2 else -1]:
            rate = engine.rate(path, count) if name == "engine" else plain.rate(f"/{size}", count)
            rates[name].append(rate)
    cpu = (engine.cpu() - before[0]) / (plain.cpu() - before[1])
    best = f"{max(rates['engine']):.0f} : {max(rates['plain']):.0f} requests a second"
    slower = ratio(rates["plain"], rates["engine"])
    what = f"lab: GET {path}, beside a plain answer"
    return Line(what, slower, "x", SLOWER, f"{best}; CPU {cpu:.2f} x; {size} bytes")


@contextmanager
def _plain(pki: Path, ca: Path, head: str) -> Iterator[Client]:
    """Run the plain application with the engine's own certificate."""
    command = [
        sys.executable,
        "-m",
        "bench.plain",
        str(pki / "certs/engine.cer"),
        str(pki / "keys/engine.key"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            port = int(process.stdout.readline()) if process.stdout else 0
            yield Client(process.pid, port, ca, head)
        finally:
            process.terminate()


def _memory(pid: int) -> float:
    """Return the resident memory of a process in MiB."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / KIB if found else 0.0


if __name__ == "__main__":
    main()
