"""The page for people at /ovirt-engine/: says that this is a lab, and shows what it holds and its log, live."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse

from pytest_ovirt_release.lab.engine.pages import document, html
from pytest_ovirt_release.lab.engine.state import stamp
from pytest_ovirt_release.target.brand import LAB_BRAND

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.state import State

    Table = tuple[tuple[str, ...], list[tuple[str, ...]]]

LOGIN = "/ovirt-engine/login?scope=ovirt-ext%3Dauth%3Aidentity"
EVENTS_SHOWN = 200
GIBIBYTE = 1024**3
STYLE = (
    "body{font:14px/1.4 sans-serif;margin:0 1em;color:#222;background:#fff}"
    "header{background:#8b0000;color:#fff;margin:0 -1em;padding:.5em 1em}header a{color:#fff}h1{margin:0}"
    ".wide{overflow-x:auto}table{border-collapse:collapse;margin:1em 0}caption{text-align:left;font-weight:bold}"
    "td,th{border:1px solid #bbb;padding:2px 8px;text-align:left;vertical-align:top}"
    ".error td,.alert td{color:#a00}.warning td{color:#850}"
)
SCRIPT = """
const main = document.querySelector("main"), said = document.getElementById("live");
async function look() {
  try {
    const answer = await fetch(location.href, {headers: {Accept: "text/html"}});
    const next = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
    if (next.innerHTML !== main.innerHTML) main.replaceChildren(...next.childNodes);
    said.textContent = "live";
  } catch {
    said.textContent = "the lab does not answer";
  }
  setTimeout(look, 1000);
}
look();
"""
"""Asks for the page again and puts the new tables in; without scripts the page reloads as a whole."""

HEAD = (
    '<meta name="viewport" content="width=device-width">'
    f'<noscript><meta http-equiv="refresh" content="3"></noscript><style>{STYLE}</style>'
)
HEADERS = {
    # Names come from clients: should one ever get through as HTML, the browser still runs and loads nothing.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; connect-src 'self'; script-src "
    f"'sha256-{base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


async def front(core: Core, request: Request) -> Response:
    """Return the page to who reads HTML; other clients are sent to log in, as the engine does with everybody."""
    if "text/html" not in request.headers.get("accept", ""):
        return RedirectResponse(
            f"{request.url.scheme}://{request.headers.get('host', '')}{LOGIN}",
            302,
            {"Content-Language": "en-US"},
        )
    tables = "".join(_table(*table) for table in (*_realm(core.state), *_machines(core.state)))
    body = (
        f"<header><h1>REHEARSAL: this is the {escape(LAB_BRAND)}</h1>"
        "<p>This is no oVirt engine, and nothing that happens here says anything about a release. "
        'Its API is at <a href="/ovirt-engine/api">/ovirt-engine/api</a>. <span id="live" role="status"></span></p>'
        f"</header><main>{tables}{_events(core)}</main><script>{SCRIPT}</script>"
    )
    return html(document(LAB_BRAND, body, HEAD), headers=HEADERS)


def _realm(state: State) -> Iterable[Table]:
    """Yield the tables of data centers, clusters and storage domains."""
    centers = state.data_centers
    yield (
        ("Data centers", "status", "storage", "SPM"),
        [
            (c.name, c.status, "local" if c.local else "shared", _name(state.hosts, c.spm))
            for c in centers.values()
        ],
    )
    yield (
        ("Clusters", "data center", "CPU"),
        [(c.name, _name(centers, c.data_center), c.cpu_type) for c in state.clusters.values()],
    )
    yield (
        ("Storage domains", "status", "type", "path", "data center"),
        [
            (d.name, d.status, d.connection.type, d.connection.path, _name(centers, d.data_center))
            for d in state.storage_domains.values()
        ],
    )


def _machines(state: State) -> Iterable[Table]:
    """Yield the tables of hosts, VMs and disks."""
    yield (
        ("Hosts", "status", "address", "cluster"),
        [(h.name, h.status, h.address, _name(state.clusters, h.cluster)) for h in state.hosts.values()],
    )
    yield (
        ("VMs", "status", "host", "cluster"),
        [
            (v.name, v.status, _name(state.hosts, v.host), _name(state.clusters, v.cluster))
            for v in state.vms.values()
        ],
    )
    yield (
        ("Disks", "status", "GiB", "storage domain", "VMs"),
        [
            (
                d.name,
                d.status,
                f"{d.provisioned_size / GIBIBYTE:.3g}",
                _name(state.storage_domains, d.domain),
                ", ".join(vm.name for vm in state.vms_with(d.id)),
            )
            for d in state.disks.values()
        ],
    )


def _name(items: Mapping[str, object], id_: str | None) -> str:
    """Return the name of the object with this id; nothing where there is none, or none any more."""
    return str(getattr(items.get(id_ or ""), "name", ""))


def _events(core: Core) -> str:
    """Return the table of the newest events."""
    newest = core.events.newest_first()
    shown = newest[:EVENTS_SHOWN]
    rows = [(stamp(e.time), e.severity, str(e.code), e.description) for e in shown]
    head = (f"Events, newest first: {len(shown)} of {len(newest)}", "severity", "code", "event")
    return _table(head, rows, first="time", marks=[e.severity for e in shown])


def _table(
    head: Sequence[str], rows: Sequence[Sequence[str]], first: str = "name", marks: Sequence[str] = ()
) -> str:
    """Return a table under its caption; every text in it is escaped here, wherever it came from."""
    columns = "".join(f'<th scope="col">{escape(text)}</th>' for text in (first, *head[1:]))
    lines = [f'<div class="wide"><table><caption>{escape(head[0])}</caption><tr>{columns}</tr>']
    for number, row in enumerate(rows):
        mark = f' class="{escape(marks[number])}"' if marks else ""
        lines.append(f"<tr{mark}>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>")
    return "\n".join([*lines, "</table></div>", ""])
