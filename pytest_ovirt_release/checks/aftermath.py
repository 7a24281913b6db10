"""What engine and nodes have to say after a failure: events and jobs of our own requests, excerpts of logs.

It is evidence and nothing else: it has a deadline of its own, changes nothing, and never fails.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.logs import ENGINE_LOGS, NODE_LOGS, Window, qemu_logs, read_log
from pytest_ovirt_release.checks.node import Remote
from pytest_ovirt_release.errors import ReleaseError, Unproven

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pytest_ovirt_release.checks.engine import Engine
    from pytest_ovirt_release.target.model import NodeTarget, SshTarget

SECONDS = 45.0
"""All of it together; what has not come by then is left out and said."""
MACHINE_SECONDS = 15.0
"""Login or one command on one machine."""
MOST_JOBS = 20

Piece = tuple[str, str]


def collect(engine: Engine, nodes: Sequence[NodeTarget], window: Window) -> list[Piece]:
    """Return pairs of name and text: what the engine knows of our requests, and the logs of that time."""
    jobs: dict[str, Callable[[], Iterable[Piece]]] = {"engine": lambda: _from_engine(engine, window)}
    if engine.target.engine.ssh is not None:
        ssh = engine.target.engine.ssh
        jobs["engine machine"] = lambda: _from_machine(
            engine, ssh, "engine machine", window, lambda _: ENGINE_LOGS
        )
    for node in nodes:
        jobs[node.name] = lambda node=node: _from_machine(  # type: ignore[misc] # bound here, called later
            engine, node.ssh, node.name, window, lambda r: (*NODE_LOGS, *qemu_logs(r, engine.run_id))
        )
    return _at_once(jobs)


def _at_once(jobs: dict[str, Callable[[], Iterable[Piece]]]) -> list[Piece]:
    """Do everything side by side, and stop waiting when the time is over."""
    pool = ThreadPoolExecutor(len(jobs))
    going = {name: pool.submit(_told, name, job) for name, job in jobs.items()}
    wait(going.values(), SECONDS)
    pool.shutdown(wait=False, cancel_futures=True)
    found: list[Piece] = []
    for name, future in going.items():
        found += future.result() if future.done() else [(name, f"[nothing came in {SECONDS:g} s]\n")]
    return found


def _told(name: str, job: Callable[[], Iterable[Piece]]) -> list[Piece]:
    try:
        return list(job())
    except (Unproven, ReleaseError) as error:
        return [(name, f"[{type(error).__name__}: {error}]\n")]
    except Exception as error:  # noqa: BLE001 - evidence must not turn one failure into another
        return [(name, f"[it could not be read: {type(error).__name__}: {error}]\n")]


def _from_engine(engine: Engine, window: Window) -> Iterable[Piece]:
    ours = [c for c in engine.correlations if window.holds(c.at)]
    ids = {c.id for c in ours}
    events = [e for e in engine.events.newest() if e.correlation in ids]
    yield (
        "events of our requests",
        "".join(f"{e.time} {e.severity} {e} ({e.correlation})\n" for e in events),
    )
    # An engine that does not understand the search shows every job there is: each is told once.
    jobs = {job.id: job for c in ours[-MOST_JOBS:] for job in engine.events.jobs(c.id)}
    told = [job for job in jobs.values() if job.started is None or window.holds(job.started)]
    yield ("jobs of our requests", "".join(f"{job}\n" for job in told))


def _from_machine(
    engine: Engine,
    ssh: SshTarget,
    name: str,
    window: Window,
    paths: Callable[[Remote], Sequence[str]],
) -> Iterable[Piece]:
    end = time.monotonic() + SECONDS
    with Remote(ssh, name=name, met=engine.met, seconds=MACHINE_SECONDS, flag=engine.flag) as remote:
        for path in paths(remote):
            if time.monotonic() > end:
                return
            yield (f"{path.rpartition('/')[2]} of {name}", read_log(remote, path, window))
