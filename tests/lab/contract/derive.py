"""Derive the committed facts from recordings of a real engine: `python -m tests.lab.contract.derive FOLDER`.

The recordings hold whole answers of somebody else's program; the facts hold what a client relies on, without ids,
times and texts of more than a few lines.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.lab.contract.document import UUID, Names, lines, parse, places
from tests.lab.contract.model import Event, Exchange, Topic, Watch, dump

BASE = "https://engine.lab.test:8443"
PLAIN_BASE = "http://engine.lab.test:8080"
RECORDED = "2026-11-22"
PREFIX = "/ovirt-engine"
NOT_ASKED = {"host", "user-agent", "content-length", "connection"}
"""Request headers that say who asks, not what."""

MATTER = {"content-type", "location", "allow", "www-authenticate", "set-cookie", "content-encoding"}
"""Answer headers that a client acts on; Correlation-Id matters where the request had one."""

OF_OLD = {"{datacenter:Default}", "{cluster:Default}"}
LONGEST_BODY = 20_000


def recorded(folder: Path) -> list[tuple[Path, dict[str, Any], bytes]]:
    """Return the exchanges of a folder in order: file, what it says, the answer's body."""
    found = []
    for path in sorted(p for p in folder.glob("[0-9]*.json") if ".body." not in p.name):
        said = json.loads(path.read_text(encoding="utf-8"))
        file = said["response"].get("body_file")
        found.append((path, said, _body(folder / file) if file else b""))
    return found


def _body(file: Path) -> bytes:
    """Return an answer's body as its reader saw it; a session's name was struck out in a way that breaks XML."""
    body = file.read_bytes()
    if body.startswith(b"\x1f\x8b"):
        body = gzip.decompress(body)
    return body.replace(b"<session>", b"{session}") if body.startswith(b"<?xml") else body


def topic(folder: Path) -> Topic:
    """Return the facts of one folder."""
    found = recorded(folder)
    names = Names(BASE, PLAIN_BASE)
    for _, _, body in found:
        names.learn(body)
    names.known = _of_old(folder) | names.known
    bindings = _unnamed(found, names)
    exchanges = [_exchange(path.stem, said, body, names) for path, said, body in found]
    file = folder / "transitions.json"
    said = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"watch": {}}
    watches = [
        Watch(
            name,
            names.symbols(watch["path"]),
            tuple((s["t"], _state(s["state"], names)) for s in watch["states"]),
        )
        for name, watch in said["watch"].items()
    ]
    kind = "" if folder.parent.name == "scenarios" else "static-"
    events = tuple(_events(found, names)) if not kind else ()
    return Topic(kind + folder.name, RECORDED, tuple(exchanges), tuple(watches), events, bindings)


def _of_old(folder: Path) -> dict[str, str]:
    """Return the names of what every engine of the capture began with: a folder need not name it itself."""
    names = Names(BASE, PLAIN_BASE)
    for path in sorted(folder.parent.parent.glob("*/*/*.body.xml")):
        body = path.read_bytes()
        if b"<name>Default</name>" in body:
            names.learn(body)
    return {id_: name for id_, name in names.known.items() if name in OF_OLD}


def _unnamed(found: Sequence[tuple[Path, dict[str, Any], bytes]], names: Names) -> dict[str, tuple[str, str]]:
    """Name the ids that requests use and no document names, by where they were first answered."""
    first: dict[str, tuple[str, str]] = {}
    bindings: dict[str, tuple[str, str]] = {}
    for path, said, body in found:
        asked = said["request"]["line"] + str(said["request"].get("body") or "")
        for id_ in UUID.findall(asked):
            if id_ not in names.known and id_ in first:
                symbol = f"{{{first[id_][1].split('/')[-1].split('[')[0]}#{len(bindings) + 1}}}"
                names.known[id_] = symbol
                bindings[symbol] = first[id_]
        root = parse(body)
        for where, id_ in places(root) if root is not None else ():
            first.setdefault(id_, (path.stem, where))
    return bindings


def _exchange(name: str, said: dict[str, Any], body: bytes, names: Names) -> Exchange:
    request, response = said["request"], said["response"]
    method, path = request["line"].rsplit(" HTTP/", 1)[0].split(" ", 1)
    headers = {k: v for k, v in request["headers"] if k.lower() not in NOT_ASKED}
    correlated = any(k.lower() == "correlation-id" for k in headers)
    matter = MATTER | ({"correlation-id"} if correlated else set())
    content = request.get("body")
    if content is not None and (cut := re.search(r"(.)\.\.\. \((\d+) characters\)$", content)):
        content = f"{{{int(cut[2])} characters}}{content[: content.index(cut[1] * 8)]}{cut[1]}"
    answered = {
        k.lower(): _header(k.lower(), v, names) for k, v in response["headers"] if k.lower() in matter
    }
    path = re.sub(r"([?&]from=)\d+(&max=300)", r"\1{event:before}\2", names.symbols(path))
    return Exchange(
        name,
        said["scheme"],
        method,
        path,
        {k: names.symbols(v) for k, v in headers.items()},
        None if content is None else names.symbols(str(content))[:LONGEST_BODY],
        response["status"],
        answered,
        () if path.startswith(f"{PREFIX}/api/events?from={{event:before}}") else lines(_whole(body), names),
        said["started"],
        said["elapsed_s"],
        said.get("note") or "",
    )


def _whole(body: bytes) -> bytes:
    """Return a document that is one again: the words for what was left out had broken it."""
    return body.replace(b"'<session>'", b"'&lt;session&gt;'").replace(b"<prefix>/", b"/")


def _header(name: str, value: str, names: Names) -> str:
    return value.split("=", 1)[0] if name == "set-cookie" else names.plain(value)


def _state(state: str, names: Names) -> str:
    return names.symbols(state)


def _events(found: Sequence[tuple[Path, dict[str, Any], bytes]], names: Names) -> Iterator[Event]:
    """Yield the events of a scenario, oldest first: its last exchange asked for all of them."""
    for path, _, body in found:
        # What the recording left out stands there in angle brackets, which is no XML.
        whole = re.sub(rb"<prefix>|<session>", b"", body)
        root = parse(whole) if path.stem.endswith("events-of-scenario") else None
        for event in reversed(list(root) if root is not None else []):
            yield Event(
                int(event.findtext("code") or 0),
                event.findtext("severity") or "",
                names.plain(event.findtext("description") or ""),
                correlation(event.findtext("correlation_id")),
            )


def correlation(text: str | None) -> str:
    """Return a correlation id as far as it says something: the caller's own, one the engine made, or none."""
    if not text:
        return ""
    return "<made>" if UUID.fullmatch(text) or re.fullmatch(r"[0-9a-f]{5,8}", text) else text


def folders(root: Path) -> list[Path]:
    """Return the folders of recordings below a capture."""
    return sorted(p for kind in ("scenarios", "static") for p in (root / kind).glob("[0-9]*") if p.is_dir())


def main(root: Path) -> None:
    """Write the facts of all recordings below a folder."""
    dump([topic(folder) for folder in folders(root)])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
