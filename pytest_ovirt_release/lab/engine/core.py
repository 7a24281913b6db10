"""The engine's inside: state, log, clock, nodes, and what runs in the background."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from pytest_ovirt_release.lab.engine.document import Shelf
from pytest_ovirt_release.lab.engine.events import ADMIN, EventLog, User
from pytest_ovirt_release.lab.engine.fault import Fault, conflict
from pytest_ovirt_release.lab.engine.state import (
    BLANK,
    Cluster,
    DataCenter,
    Host,
    Job,
    State,
    Step,
    StorageDomain,
    Vm,
    now,
)
from pytest_ovirt_release.lab.node.verbs import VdsmError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine, Iterator
    from pathlib import Path
    from typing import Any, TypeVar

    from pytest_ovirt_release.lab.clock import Clock
    from pytest_ovirt_release.lab.ids import Ids
    from pytest_ovirt_release.lab.node.verbs import Node

    Answer = TypeVar("Answer")

log = logging.getLogger(__name__)

NOTHING_SAID = "[]"

VERB_DEADLINE = 60.0
"""Longest wait for a node's answer, in real seconds; vdsm's own message timeout is 180."""

MESSAGE_TIMEOUT = 5022
JOBS_KEPT = 1000


class SshAccess(Protocol):
    """How the engine logs in to a node to install it."""

    @property
    def public_key(self) -> str:
        """The engine's public key, one OpenSSH line."""

    async def host_key(self, address: str, ssh_port: int) -> str:
        """Return the host's own public key, one OpenSSH line; OSError when nobody answers."""

    async def authorize(self, address: str, ssh_port: int, user: str, password: str | None) -> None:
        """Log in and leave the engine's key; without a password it must be there already.

        PermissionError when the host refuses the login, any other OSError when it cannot be reached.
        """

    async def deploy(self, address: str, ssh_port: int) -> object:
        """Log in with the engine's key and configure the node; raises when that fails."""


class Core:
    """What every operation works with."""

    def __init__(  # noqa: PLR0913 - the parts of an engine
        self,
        *,
        clock: Clock,
        faults: frozenset[str],
        nodes: dict[str, Node],
        folder: Path,
        ssh: SshAccess,
        ids: Ids,
        admin: str = "admin",
    ) -> None:
        """Start with an empty state; `nodes` are by address, `admin` is the administrator's name."""
        self.clock = clock
        self.faults = faults
        self.nodes = nodes
        self.folder = folder
        self.ssh = ssh
        self.ids = ids
        self.ca_pem = ""
        self.state = State()
        self.events = EventLog()
        self.user_id = ids.uuid("user")
        self.admin = f"{admin}@internal-authz"
        self.instance_id = ids.uuid("instance")
        self.shelf = Shelf()
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: set[str] = set()

    async def sleep(self, seconds: float) -> None:
        """Wait the engine's seconds."""
        await self.clock.sleep(seconds)

    async def ask(self, verb: Awaitable[Answer]) -> Answer:
        """Wait for a node's answer; a node that does not answer is a VdsmError like any other."""
        try:
            async with asyncio.timeout(VERB_DEADLINE):
                return await verb
        except (TimeoutError, OSError) as error:
            raise VdsmError(
                MESSAGE_TIMEOUT, "Message timeout which can be caused by communication issues"
            ) from error

    def node(self, host: Host) -> Node:
        """Return the node behind a host; VdsmError when nothing answers at its address."""
        try:
            return self.nodes[host.address]
        except KeyError:
            raise VdsmError(MESSAGE_TIMEOUT, f"no node answers at {host.address}") from None

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something in the background until it ends or the engine stops."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a background command failed", exc_info=error)

    async def stop(self) -> None:
        """End what runs in the background."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @contextmanager
    def exclusive(self, id_: str, refusal: str) -> Iterator[None]:
        """Hold an object for one command; another command on it is refused meanwhile (`Cannot run VM`)."""
        if id_ in self._held:
            raise conflict(f"{refusal}. Related operation is currently in progress. Please try again later.")
        self._held.add(id_)
        try:
            yield
        finally:
            self._held.discard(id_)

    @contextmanager
    def job(self, description: str) -> Iterator[Job]:
        """Record a command as a job: started, then finished or failed; a refusal fails while it is validated."""
        job = Job(self.ids.uuid("job"), description)
        job.steps.append(Step(self.ids.uuid("step"), "validating"))
        jobs = self.state.jobs
        jobs[job.id] = job
        while len(jobs) > JOBS_KEPT:
            del jobs[next(iter(jobs))]
        try:
            yield job
        except Fault as fault:
            job.status = "failed"
            if fault.detail == NOTHING_SAID:
                self._executing(job)
            raise
        except BaseException:
            job.status = "failed"
            self._executing(job)
            raise
        else:
            job.status = "finished"
            self._executing(job)
        finally:
            job.end_time = job.last_updated = now()
            job.steps[-1].status, job.steps[-1].end_time = job.status, job.end_time

    def _executing(self, job: Job) -> None:
        """Note that a job got past its validation."""
        job.steps[-1].status, job.steps[-1].end_time = "finished", job.steps[-1].start_time
        job.steps.append(Step(self.ids.uuid("step"), "executing"))

    def event(  # noqa: PLR0913 - an event may name any of these
        self,
        code: int,
        text: str,
        correlation: str | None = None,
        *,
        user: User = "admin",
        own: bool = False,
        host: Host | None = None,
        vm: Vm | None = None,
        domain: StorageDomain | None = None,
        data_center: DataCenter | None = None,
        cluster: Cluster | None = None,
    ) -> None:
        """Log an event. `own` gives it a correlation id of the engine's own commands."""
        cluster = cluster or self._cluster(vm or host)
        data_center = data_center or self._data_center(cluster, domain)
        host = host or (self.state.hosts.get(vm.host or "") if vm else None)
        found = {
            "cluster": cluster,
            "data_center": data_center,
            "host": host,
            "storage_domain": domain,
            "vm": vm,
        }
        references = {kind: (item.id, item.name) for kind, item in found.items() if item is not None}
        if vm is not None:
            references["template"] = (BLANK, "Blank")
        if user != "nobody":
            references["user"] = (self.user_id, self.admin) if user == "admin" else ("", user)
        # The sentences name the usual administrator.
        text = text.replace(ADMIN, self.admin)
        self.events.add(code, text, self.ids.word("command") if own else correlation, references)

    def _cluster(self, item: Host | Vm | None) -> Cluster | None:
        return None if item is None else self.state.clusters.get(item.cluster)

    def _data_center(self, cluster: Cluster | None, domain: StorageDomain | None) -> DataCenter | None:
        centers = self.state.data_centers
        by_domain = centers.get((domain.data_center if domain else None) or "")
        return by_domain or centers.get((cluster.data_center if cluster else None) or "")
