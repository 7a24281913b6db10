"""Looks at everything a target names, all at once, read-only, and never longer than asked."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pytest_ovirt_release.checks import waiting
from pytest_ovirt_release.checks.preflight.engine_probe import look_at_engine
from pytest_ovirt_release.checks.preflight.findings import ENGINE, Finding, node_key
from pytest_ovirt_release.checks.preflight.machine_probe import look_at_machine, look_at_node
from pytest_ovirt_release.checks.preflight.site_probe import look_at_address

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_ovirt_release.checks.preflight.probe import Asked


@dataclass(frozen=True)
class _Probe:
    """One thread's work, and what to say of it when it does not come to an end."""

    what: str
    blocks: tuple[str, ...]
    run: Callable[[], Sequence[Finding]]


def look(asked: Asked) -> tuple[Finding, ...]:
    """Return what was found, in the order of the target file; whoever has not answered in time is told so.

    Threads are left to themselves when time is up: the flag ends their requests, and none keeps the process alive.
    """
    probes = _probes(asked)
    done: queue.SimpleQueue[tuple[int, Sequence[Finding]]] = queue.SimpleQueue()
    for number, probe in enumerate(probes):
        threading.Thread(target=_run, args=(number, probe, done), daemon=True).start()
    end = time.monotonic() + asked.total
    found: dict[int, Sequence[Finding]] = {}
    while len(found) < len(probes) and (left := end - time.monotonic()) > 0:
        try:
            number, findings = done.get(timeout=min(left, 0.1))
        except queue.Empty:
            if waiting.stop.is_set():
                asked.flag.set()
                raise waiting.Interrupted("interrupted during preflight") from None
            continue
        found[number] = findings
    asked.flag.set()
    late = {n: (_late(probe, asked.total),) for n, probe in enumerate(probes) if n not in found}
    return tuple(finding for number in range(len(probes)) for finding in {**found, **late}[number])


def _probes(asked: Asked) -> list[_Probe]:
    target = asked.target
    probes = [_Probe("engine", (ENGINE,), partial(look_at_engine, asked))]
    if (machine := target.engine.ssh) is not None:
        probes.append(_Probe("engine machine", (), partial(look_at_machine, asked, machine)))
    first_nfs = next((n.name for n in target.nodes if n.serves("nfs")), "")
    probes += [
        _Probe(
            f"node {n.name}",
            (node_key(n.name),),
            partial(look_at_node, asked, n, exports=n.name == first_nfs),
        )
        for n in target.nodes
    ]
    places = (("database", target.database), *asked.places) if target.database else asked.places
    return probes + [_Probe(name, (), partial(look_at_address, name, url, asked)) for name, url in places]


def _run(number: int, probe: _Probe, done: queue.SimpleQueue[tuple[int, Sequence[Finding]]]) -> None:
    try:
        findings = probe.run()
    except Exception as error:  # noqa: BLE001 - a thread's exception would be lost; this is how it is told
        said = f"{type(error).__name__}: {error}"
        findings = (Finding(probe.what, "wrong", said, "", probe.blocks),)
    done.put((number, findings))


def _late(probe: _Probe, seconds: float) -> Finding:
    todo = "check address, route and firewall"
    return Finding(probe.what, "wrong", f"it did not answer within {seconds:g} s", todo, probe.blocks)
