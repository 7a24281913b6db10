"""The ground of the chaos tests: a lab in a process of its own, what is on it, and the ways to trouble it."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import ovirtsdk4

from pytest_ovirt_release.checks.node import Remote
from pytest_ovirt_release.target.lab_process import LabProcess, start_lab
from pytest_ovirt_release.target.loading import load_target
from pytest_ovirt_release.target.writing import target_toml
from tests.chaos.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_ovirt_release.target.model import NodeTarget

PAGE = Path(__file__).parents[2] / "acceptance" / "releases" / "ovirt-3.0.toml"
SETTLED = 40.0
"""Seconds until everything is as before, once the run and its reaper have ended."""
ENGINE_AWAY, SILENT, HANGS = 2.0, 3.0, 2.0
"""How long, in seconds, an engine restarts, a network is silent, a node's vdsm hangs."""

Seen = tuple[str, ...]


@dataclass
class Ground:
    """A lab behind a proxy; `target` is the text of a target file that leads through the proxy."""

    lab: LabProcess
    proxy: Proxy
    target: str
    before: frozenset[Seen] = field(default_factory=frozenset)
    _timers: list[threading.Timer] = field(default_factory=list)

    @classmethod
    def start(cls, speed: str) -> Ground:
        """Start it all, wait until the node that registers by itself has done so, and remember what there is."""
        lab = start_lab(PAGE, speed, ())
        loaded = load_target(lab.target)
        url = urlsplit(loaded.engine.url)
        proxy = Proxy(url.port or 0)
        proxy.__enter__()
        through = url._replace(netloc=f"{url.hostname}:{proxy.port}").geturl()
        engine = loaded.engine.model_copy(update={"url": through})
        ground = cls(lab, proxy, target_toml(loaded.model_copy(update={"engine": engine})).decode())
        ground.before = ground.until(lambda seen: any("pending_approval" in s for s in seen))
        return ground

    def stop(self) -> None:
        """End the lab and the proxy."""
        for timer in self._timers:
            timer.join(SETTLED)
        self.proxy.__exit__()
        self.lab.stop(Path(os.devnull))

    def seen(self) -> frozenset[Seen]:
        """Return everything that a run could leave."""
        return everything(self.lab.folder)

    def until(self, fits: Any) -> frozenset[Seen]:
        """Wait until what is seen fits, at most SETTLED seconds; return it however that ended."""
        end = time.monotonic() + SETTLED
        while not fits(seen := self.seen()) and time.monotonic() < end:
            time.sleep(0.2)
        return seen

    def restored(self) -> list[Seen]:
        """Let nodes that register by themselves do so again; return what is not as before (empty: nothing)."""
        for timer in self._timers:
            timer.join(SETTLED)
        self._timers.clear()
        for node in self._nodes():
            if node.registered_by == "node" and not self._pending(node):
                self.shell(node, "systemctl", "kill", "--signal=SIGCONT", "vdsmd")
                self.shell(node, "reboot")
        return sorted(self.until(self.before.__eq__) ^ self.before)

    def _pending(self, node: NodeTarget) -> bool:
        return any(node.address in seen and "pending_approval" in seen for seen in self.seen())

    def _nodes(self) -> Iterable[NodeTarget]:
        return load_target(self.lab.target).nodes

    def shell(self, node: NodeTarget, *words: str) -> None:
        """Run a command on a node; one that does not answer just now is asked again."""
        for _ in range(20):
            try:
                with Remote(node.ssh, name=node.name, met=lambda *_: None, seconds=10) as remote:
                    remote.run(words)
                    return
            except Exception:  # noqa: BLE001 - it may be rebooting
                time.sleep(0.5)

    def trouble(self, kind: str) -> None:
        """Let an outage begin; it ends by itself."""
        node = next(iter(self._nodes()))
        match kind:
            case "engine-away":
                self.proxy.refuse()
                self._later(ENGINE_AWAY, self.proxy.accept)
            case "engine-silent":
                self.proxy.swallow()
                self._later(SILENT, self.proxy.flow)
            case "node-reboots":
                self.shell(node, "reboot")
            case "node-hangs":
                self.shell(node, "systemctl", "kill", "--signal=SIGSTOP", "vdsmd")
                self._later(HANGS, lambda: self.shell(node, "systemctl", "kill", "--signal=SIGCONT", "vdsmd"))
            case _:
                raise ValueError(kind)

    def _later(self, seconds: float, act: Any) -> None:
        timer = threading.Timer(seconds, act)
        timer.start()
        self._timers.append(timer)


def everything(folder: Path) -> frozenset[Seen]:
    """Return everything that a run could leave in a lab: objects of the engine, files of the storage."""
    target = load_target(folder / "target.toml")
    connection = ovirtsdk4.Connection(
        url=target.engine.url,
        username=target.engine.user,
        password=(folder / "engine.password").read_text().strip(),
        ca_file=str(target.engine.ca_file),
        timeout=20,
    )
    try:
        return frozenset({*_objects(connection.system_service()), *_files(folder)})
    finally:
        connection.close()


def _objects(system: Any) -> Iterable[Seen]:
    """Yield everything of the engine that has a name; no host's load, no event."""
    for kind in ("data_centers", "clusters", "storage_domains", "disks", "vms", "templates", "networks"):
        for found in getattr(system, f"{kind}_service")().list():
            yield (kind, found.name or "", found.comment or "")
    for host in system.hosts_service().list():
        yield ("hosts", host.name, host.comment or "", host.address, str(host.status))
    for transfer in system.image_transfers_service().list():
        if not str(transfer.phase).startswith(
            ("finished", "cancelled")
        ):  # the engine forgets those by itself
            yield ("transfers", str(transfer.phase))


def _files(folder: Path) -> Iterable[Seen]:
    """Yield what is on the NFS export and in the nodes' local directories."""
    for place in (folder / "nfs", *folder.glob("*/root/data/local")):
        for path in place.rglob("*"):
            yield ("file", path.relative_to(folder).as_posix())
