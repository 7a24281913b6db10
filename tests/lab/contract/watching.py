"""Sees every state an object of the lab's engine goes through, from inside: no poller would be quick enough."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.state import Vm
    from tests.lab.contract.stage import Stage

PAUSE = 0.002
GONE = "HTTP 404"


@dataclass
class Watcher:
    """Notes (seconds of the engine's time, state) of one path whenever the state is another."""

    stage: Stage
    name: str
    path: str
    speed: float
    began: float
    states: list[tuple[float, str]] = field(default_factory=list)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            state = self.look()
            if state is not None and (not self.states or self.states[-1][1] != state):
                self.states.append((round((time.monotonic() - self.began) * self.speed, 2), state))
            await asyncio.sleep(PAUSE)

    def look(self) -> str | None:
        """Return the state as the API would show it; None while the object has not been made."""
        parts = self.path.removeprefix("/ovirt-engine/api/").split("/")
        ids = []
        for symbol in parts[1::2]:
            known = self.stage.ids.get(symbol) or {n: i for i, n in self.stage.names.known.items()}.get(
                symbol
            )
            if symbol.startswith("{") and known is None:
                known = self._by_name(symbol)
            if known is None:
                return None
            ids.append(known)
        return self._state(parts[0::2], ids)

    def _by_name(self, symbol: str) -> str | None:
        kind, _, name = symbol.strip("{}").partition(":")
        state = self.stage.bench.engine.core.state
        named: dict[str, list[tuple[str, str]]] = {
            "host": [(item.id, item.name) for item in state.hosts.values()],
            "vm": [(item.id, item.name) for item in state.vms.values()],
            "disk": [(item.id, item.name) for item in state.disks.values()],
            "storagedomain": [(item.id, item.name) for item in state.storage_domains.values()],
        }
        return next((id_ for id_, found in named.get(kind, ()) if found == name), None)

    def _state(self, kinds: list[str], ids: list[str]) -> str | None:
        state = self.stage.bench.engine.core.state
        match kinds:
            case ["datacenters", "storagedomains"]:
                domain = state.storage_domains.get(ids[1])
                found = domain.status if domain is not None and domain.data_center == ids[0] else GONE
            case ["storagedomains"]:
                domain = state.storage_domains.get(ids[0])
                found = GONE if domain is None else "(none)" if domain.data_center else "unattached"
            case ["hosts"]:
                host = state.hosts.get(ids[0])
                found = GONE if host is None else host.spm_status if self.name == "spm" else host.status
            case ["vms"]:
                vm = state.vms.get(ids[0])
                found = GONE if vm is None else self._runs_on(vm) if self.name == "vm-host" else vm.status
            case ["datacenters"]:
                center = state.data_centers.get(ids[0])
                found = GONE if center is None else center.status
            case ["disks"]:
                disk = state.disks.get(ids[0])
                found = GONE if disk is None else disk.status
            case _:
                return None
        return found

    def _runs_on(self, vm: Vm) -> str:
        return self.stage.names.known.get(vm.host, vm.host) if vm.host else "(none)"
