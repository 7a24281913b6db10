"""The page for a browser at /ovirt-engine/: says that this is a lab, and shows what it holds, live."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.pages import document, html
from pytest_ovirt_release.lab.engine.state import stamp
from pytest_ovirt_release.target.brand import LAB_BRAND

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.state import DataCenter, State

REFRESH_SECONDS = 2
EVENTS_SHOWN = 200
HEAD = (
    f'<meta http-equiv="refresh" content="{REFRESH_SECONDS}">'
    "<style>body{font:14px sans-serif;margin:1em}table{border-collapse:collapse;margin-bottom:1em}"
    "caption{text-align:left;font-weight:bold}td,th{border:1px solid #bbb;padding:2px 8px;text-align:left}"
    "h1{background:#b00;color:#fff;padding:.4em}.error,.alert{color:#b00}.warning{color:#a60}</style>"
)


async def front(core: Core, _request: Request) -> Response:
    """Return the page; it reloads itself."""
    state = core.state
    body = (
        f"<h1>REHEARSAL: this is the {escape(LAB_BRAND)}</h1>"
        "<p>This is no oVirt engine, and nothing that happens here says anything about a release. "
        'Its API is at <a href="/ovirt-engine/api">/ovirt-engine/api</a>.</p>'
        f"{_inventory(state)}{_events(core)}"
    )
    return html(document(LAB_BRAND, body, HEAD))


def _inventory(state: State) -> str:
    """Return the tables of what the engine holds."""
    centers, clusters = state.data_centers, state.clusters
    tables = (
        (
            ("Data centers", "status", "storage"),
            [(c.name, c.status, "local" if c.local else "shared") for c in centers.values()],
        ),
        (
            ("Clusters", "data center", "CPU"),
            [(c.name, _name(centers.get(c.data_center or "")), c.cpu_type) for c in clusters.values()],
        ),
        (
            ("Hosts", "address", "status", "cluster", "SPM"),
            [
                (h.name, h.address, h.status, clusters[h.cluster].name, h.spm_status)
                for h in state.hosts.values()
            ],
        ),
        (
            ("Storage domains", "type", "status", "data center"),
            [
                (d.name, d.connection.type, d.status, _name(centers.get(d.data_center or "")))
                for d in state.storage_domains.values()
            ],
        ),
        (
            ("VMs", "status", "host"),
            [(v.name, v.status, state.hosts[v.host].name if v.host else "") for v in state.vms.values()],
        ),
    )
    return "".join(_table(head[0], ("name", *head[1:]), rows) for head, rows in tables)


def _name(data_center: DataCenter | None) -> str:
    return "" if data_center is None else data_center.name


def _events(core: Core) -> str:
    """Return the table of the newest events."""
    rows = [
        (stamp(e.time), str(e.code), e.severity, e.description)
        for e in core.events.newest_first()[:EVENTS_SHOWN]
    ]
    marks = [row[2] for row in rows]
    return _table("Events, newest first", ("time", "code", "severity", "event"), rows, marks)


def _table(
    caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], marks: Sequence[str] | None = None
) -> str:
    """Return a table; every text in it is escaped here, wherever it came from."""
    lines = [f"<table><caption>{escape(caption)}</caption><tr>{_cells('th', head)}</tr>"]
    for number, row in enumerate(rows):
        mark = f' class="{escape(marks[number])}"' if marks else ""
        lines.append(f"<tr{mark}>{_cells('td', row)}</tr>")
    return "\n".join([*lines, "</table>", ""])


def _cells(tag: str, texts: Iterable[str]) -> str:
    return "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts)
