"""What the lab's engine costs: its answers beside a plain web application's, its start, its memory.

Answers are compared in turns within one run, by the same server, TLS and client, for bodies of the same size.
Nothing fails here: a busy machine must not break a build. `nox -s bench` runs it too.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import urllib3

from bench.keepalive import Client, cpu_of
from bench.ratios import Line, ratio
from pytest_ovirt_release.lab.main import OWN_PAGE
from pytest_ovirt_release.target.lab_process import LabProcess, start_lab
from pytest_ovirt_release.target.loading import load_target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_ovirt_release.target.model import Target

LISTED, KEPT = 100, 1000
"""VMs of the list that is timed; VMs when memory is read."""

SLOWER, START, MEMORY = 2.0, 1.5, 150.0
"""Budgets: times slower than the plain application, seconds, MiB."""

KIB = 1024
DOMAIN = (
    "<storage_domain><name>nfs</name><type>data</type><host><name>host-0</name></host>"
    "<storage><type>nfs</type><address>{}</address><path>{}</path></storage></storage_domain>"
)
VM = "<vm><name>vm-{}</name><cluster><name>Default</name></cluster><template><name>Blank</name></template></vm>"


@dataclass(frozen=True)
class Amounts:
    """How much is measured, and how often."""

    requests: int = 2000
    turns: int = 9
    starts: int = 5


QUICK = Amounts(requests=400, turns=3, starts=2)


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
    took, cpu = [], []
    for _ in range(amounts.starts):
        began = time.perf_counter()
        lab = start_lab(OWN_PAGE, "20", ())
        took.append(time.perf_counter() - began)
        cpu.append(cpu_of(lab.process.pid))
        lab.stop(Path("/dev/null"))
    more = f"slowest of {len(took)}: {max(took):.2f} s; its own CPU {min(cpu):.2f} s"
    return Line("lab: from its command to ready", min(took), "s", START, more)


def _serving(amounts: Amounts, lab: LabProcess) -> Iterator[Line]:
    """Yield what answers cost, and the memory at the end."""
    target = load_target(lab.target)
    engine = target.engine
    api = Requests(target, (lab.folder / "engine.password").read_text().strip())
    api.open_storage()
    client = Client(lab.process.pid, urllib3.util.parse_url(engine.url).port or 0, engine.ca_file, api.head)
    api.add_vms(range(LISTED))
    with _plain(lab.folder / "engine-machine" / "pki", engine.ca_file, api.head) as plain:
        for path in ("/ovirt-engine/api", "/ovirt-engine/api/vms"):
            yield _beside(amounts, client, plain, path)
    api.add_vms(range(LISTED, KEPT))
    client.size("/ovirt-engine/api/vms")
    yield Line(f"lab: memory with {KEPT} VMs", _memory(lab.process.pid), "MiB", MEMORY)


class Requests:
    """What has to be in an engine before anything is measured."""

    def __init__(self, target: Target, password: str) -> None:
        """Log in."""
        self._target = target
        self._url = target.engine.url
        self._pool = urllib3.PoolManager(ca_certs=str(target.engine.ca_file))
        fields = {
            "grant_type": "password",
            "scope": "ovirt-app-api",
            "username": target.engine.user,
            "password": password,
        }
        where = self._url.removesuffix("/api") + "/sso/oauth/token"
        accept = {"Accept": "application/json"}
        told = self._pool.request_encode_body("POST", where, fields, accept, encode_multipart=False).json()
        self._headers = {
            "Authorization": f"Bearer {told['access_token']}",
            "Content-Type": "application/xml",
        }

    @property
    def head(self) -> str:
        """The headers as they are sent."""
        return "".join(f"{name}: {value}\r\n" for name, value in self._headers.items())

    def open_storage(self) -> None:
        """Attach an NFS domain to Default: no VM can be added before its data center is up."""
        nfs = self._target.storage.nfs
        if nfs is None:
            sys.exit("the lab has no NFS storage")
        found = self._send("GET", "/datacenters?search=name%3DDefault")
        domain = self._send("POST", "/storagedomains", DOMAIN.format(nfs.address, nfs.path))
        where = f"/datacenters/{_id(found, 'data_center')}/storagedomains"
        self._send("POST", where, f'<storage_domain id="{_id(domain, "storage_domain")}"/>')

    def add_vms(self, numbers: range) -> None:
        """Add VMs without disks."""
        for number in numbers:
            self._send("POST", "/vms", VM.format(number))

    def _send(self, method: str, path: str, body: str | None = None) -> str:
        answer = self._pool.request(method, self._url + path, body=body, headers=self._headers)
        if answer.status not in (200, 201):
            sys.exit(f"{method} {path}: {answer.status}: {answer.data.decode()}")
        return answer.data.decode()


def _id(document: str, tag: str) -> str:
    found = re.search(f'<{tag} [^>]*id="([^"]+)"', document)
    return found[1] if found else sys.exit(f"no {tag} in {document}")


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
