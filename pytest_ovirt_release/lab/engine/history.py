"""The collections /events and /jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine import known
from pytest_ovirt_release.lab.engine.call import Call, Reply, entity, get, listing
from pytest_ovirt_release.lab.engine.document import Node, link
from pytest_ovirt_release.lab.engine.events import Event, event_node
from pytest_ovirt_release.lab.engine.fault import BAD_REQUEST, Fault, NoSuchObject
from pytest_ovirt_release.lab.engine.router import Route
from pytest_ovirt_release.lab.engine.search import found
from pytest_ovirt_release.lab.engine.state import Job, Step, stamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ovirt_release.lab.engine.core import Core

EVENT_FIELDS: dict[str, Callable[[Event], str]] = {
    "type": lambda event: str(event.code),
    "severity": lambda event: event.severity,
    "correlation_id": lambda event: event.correlation or "",
    "message": lambda event: event.description,
    "host": lambda event: event.named("host"),
    "event_host": lambda event: event.named("host"),
    "vm": lambda event: event.named("vm"),
    "event_vm": lambda event: event.named("vm"),
    "event_datacenter": lambda event: event.named("data_center"),
    "event_storage": lambda event: event.named("storage_domain"),
    "event_template": lambda event: event.named("template"),
    "origin": lambda event: event.origin,
    "custom_event_id": lambda event: str(event.custom_id),
    "usrname": lambda event: event.named("user"),
}


async def list_events(core: Core, call: Call) -> Reply:
    """GET /events: newest first; `from` is exclusive, and `max` keeps the newest."""
    after = call.query.get("from", "")
    events = core.events.newest_first(int(after) if after.isdecimal() else 0)
    items = found(events, call, EVENT_FIELDS, order=None)
    return listing("events", (event_node(item, call.prefix) for item in items))


async def get_event(core: Core, call: Call) -> Reply:
    """GET /events/{id}: a bad id is a fault of its own here."""
    try:
        index = int(call.ids[0])
    except ValueError:
        raise Fault(BAD_REQUEST, f'For input string: "{call.ids[0]}"', "Operation failed") from None
    if not 0 < index <= len(core.events.events):
        raise NoSuchObject
    return Reply(event_node(core.events.events[index - 1], call.prefix))


def job_node(core: Core, job: Job, prefix: str) -> Node:
    """Return `<job>`."""
    return entity(
        "job",
        f"{prefix}/jobs/{job.id}",
        job.id,
        action_names=known.JOB_ACTIONS,
        link_names=known.JOB_LINKS,
        head={"description": job.description},
        fields={
            "auto_cleared": job.auto_cleared,
            "end_time": stamp(job.end_time) if job.end_time else None,
            "external": job.external,
            "last_updated": stamp(job.last_updated),
            "start_time": stamp(job.start_time),
            "status": job.status,
            "owner": link("owner", f"{prefix}/users/{core.user_id}", core.user_id),
        },
    )


async def list_jobs(core: Core, call: Call) -> Reply:
    """GET /jobs, oldest first as recorded."""
    jobs = list(core.state.jobs.values())[: call.limit()]
    return listing("jobs", (job_node(core, job, call.prefix) for job in jobs))


async def get_job(core: Core, call: Call) -> Reply:
    """GET /jobs/{id}."""
    return Reply(job_node(core, get(core.state.jobs, call.ids[0]), call.prefix))


def _step_node(job: Job, step: Step, prefix: str) -> Node:
    href = f"{prefix}/jobs/{job.id}"
    return entity(
        "step",
        f"{href}/steps/{step.id}",
        step.id,
        action_names="end",
        link_names="statistics",
        head={"description": step.type.capitalize()},
        fields={
            "end_time": stamp(step.end_time) if step.end_time else None,
            "external": False,
            "number": job.steps.index(step),
            "start_time": stamp(step.start_time),
            "status": step.status,
            "type": step.type,
            "job": link("job", href, job.id),
        },
    )


async def list_steps(core: Core, call: Call) -> Reply:
    """GET /jobs/{id}/steps."""
    job = get(core.state.jobs, call.ids[0])
    return listing("steps", (_step_node(job, step, call.prefix) for step in job.steps))


async def get_step(core: Core, call: Call) -> Reply:
    """GET /jobs/{id}/steps/{id}."""
    job = get(core.state.jobs, call.ids[0])
    found_ = next((step for step in job.steps if step.id == call.ids[1]), None)
    if found_ is None:
        raise NoSuchObject
    return Reply(_step_node(job, found_, call.prefix))


ROUTES = (
    Route("GET", "events", list_events),
    Route("GET", "events/*", get_event),
    Route("GET", "jobs", list_jobs),
    Route("GET", "jobs/*", get_job),
    Route("GET", "jobs/*/steps", list_steps),
    Route("GET", "jobs/*/steps/*", get_step),
)
