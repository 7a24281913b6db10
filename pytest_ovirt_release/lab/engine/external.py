"""Events and jobs that other programs write into the engine's lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.call import Call, Reply, created
from pytest_ovirt_release.lab.engine.events import COLLECTIONS, Event, event_node
from pytest_ovirt_release.lab.engine.fault import mandatory, not_implemented
from pytest_ovirt_release.lab.engine.history import job_node
from pytest_ovirt_release.lab.engine.router import Route
from pytest_ovirt_release.lab.engine.state import Job, now

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core

CODES = {"normal": 9801, "warning": 9802, "error": 9803, "alert": 9804}
FLOOD_SECONDS = 30


async def add_event(core: Core, call: Call) -> Reply:
    """POST /events: an event of another program's, under that program's own number."""
    number, flood = call.body.number("custom_id"), call.body.number("flood_rate")
    severity = call.body.one_of("severity", "LogSeverity", tuple(CODES)) or ""
    for name in ("custom_id", "description", "origin", "severity"):
        if call.body.text(name) is None:
            raise mandatory(f"event.{name}")
    if any(call.body.child(kind) is not None for kind in COLLECTIONS):
        raise not_implemented(f"POST {call.path} with a reference")
    event = Event(
        len(core.events.events) + 1,
        CODES[severity],
        severity,
        call.body.text("description") or "",
        None,
        now(),
        (),
        origin=call.body.text("origin") or "",
        custom_id=number or 0,
        flood_rate=FLOOD_SECONDS if flood is None else flood,
    )
    core.events.events.append(event)
    return created(event_node(event, call.prefix))


async def add_job(core: Core, call: Call) -> Reply:
    """POST /jobs: a job of another program's; it stays started until that program ends it."""
    kept = call.body.flag("auto_cleared")
    description = call.body.text("description")
    if description is None:
        raise mandatory("job.description")
    job = Job(core.ids.uuid("job"), description, external=True, auto_cleared=kept is not False)
    core.state.jobs[job.id] = job
    return created(job_node(core, job, call.prefix))


ROUTES = (
    Route("POST", "events", add_event, "event"),
    Route("POST", "jobs", add_job, "job"),
)
