"""Derive facts/verbs.json from what a real engine asked of its hosts: `python -m tests.lab.contract.derive_verbs CAPTURE`.

Per verb: how often it was called, the names and types of its arguments (`?` after one that not every call had),
and those of the elements of the answers that the engine accepted. Keys that name things (ids, numbers, interfaces,
paths) stand as `*`, the items of a list as `[]`.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.lab.contract.model import FACTS

TABLE = FACTS / "verbs.json"
THING = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+|/.*")
NAMES_THINGS = {
    "bridges",
    "networks",
    "network",
    "nics",
    "packages2",
    "supported_block_size",
    "kernelFeatures",
}
"""Objects whose keys are names that a host chooses."""

VM_STATISTICS = ("VM.create", "VM.updateDevice", "VM.hotplugNic")
"""Verbs that answer with one VM as Host.getAllVmStats tells of each."""

STATED: dict[str, dict[str, Any]] = {
    "Host.add_image_ticket": {
        "arguments": {
            "ticket": "object",
            "ticket.dirty": "bool",
            "ticket.inactivity_timeout": "int",
            "ticket.ops": "list",
            "ticket.ops[]": "str",
            "ticket.size": "int",
            "ticket.sparse": "bool",
            "ticket.timeout": "int",
            "ticket.transfer_id": "str",
            "ticket.url": "str",
            "ticket.uuid": "str",
        },
        "answer": {"": "bool"},
    },
    "Host.remove_image_ticket": {"arguments": {"uuid": "str"}, "answer": {"": "bool"}},
    "StorageDomain.getVolumes": {
        "arguments": {"imageID": "str", "storagedomainID": "str", "storagepoolID": "str"},
        "answer": {"": "list", "[]": "str"},
    },
}
"""Verbs of paths that were not recorded (image transfer, disks of an imported domain), from the engine's sources."""

STATED_ELEMENTS = {
    "Host.getAllTasksStatuses": {
        "*": "object",
        "*.code": "int",
        "*.message": "str",
        "*.taskID": "str",
        "*.taskResult": "str",
        "*.taskState": "str",
    },
    "Host.getAllVmStats": {"[].exitCode": "int", "[].exitMessage": "str", "[].exitReason": "int"},
    "StorageDomain.getImages": {"[]": "str"},
}
"""Elements of answers that were recorded empty or thinned, from the engine's sources."""


def elements(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Yield every element of a JSON value: its place and its type."""
    kind = {dict: "object", list: "list", type(None): "null"}.get(type(value), type(value).__name__)
    yield where, kind
    if isinstance(value, dict):
        parent = where.rsplit(".", 1)[-1]
        for key, item in value.items():
            name = "*" if THING.fullmatch(key) or parent in NAMES_THINGS else key
            yield from elements(item, f"{where}.{name}" if where else name)
    elif isinstance(value, list):
        for item in value:
            yield from elements(item, f"{where}[]")


def merged(values: Iterable[Any]) -> dict[str, str]:
    """Return the elements of several values, with all types that each had."""
    kinds: defaultdict[str, set[str]] = defaultdict(set)
    for value in values:
        for where, kind in elements(value):
            kinds[where].add(kind)
    return {where: "|".join(sorted(kinds[where])) for where in sorted(kinds)}


def arguments(calls: list[dict[str, Any]]) -> dict[str, str]:
    """Return what calls were made with; an argument that some calls lack has a `?`."""
    found = merged(calls)
    found.pop("", None)
    here = Counter(where for call in calls for where in {where for where, _ in elements(call)})
    optional = {where for where in found if here[where] < here[_parent(where)]}
    return {where + ("?" if where in optional else ""): kind for where, kind in found.items()}


def _parent(where: str) -> str:
    return re.sub(r"(\[\]|\.?[^.\[\]]+)$", "", where)


def _statistics(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name != "notify_time"}


def derive(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the table of all verbs."""
    asked: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    told: defaultdict[str, list[Any]] = defaultdict(list)
    for line in (folder / "engine-calls.jsonl").read_text(encoding="utf-8").splitlines():
        said = json.loads(line)
        if said["kind"] == "event" and "|VM_status|" in said["event"]:
            told["Host.getAllVmStats"].append(
                [_statistics(v) for v in said["params"].values() if isinstance(v, dict)]
            )
        if said["kind"] != "call":
            continue
        asked[said["method"]].append(said["params"] or {})
        if said["error"] is None and said["result"] is not None:
            told[said["method"]].append(said["result"])
            if said["method"] in VM_STATISTICS:
                told["Host.getAllVmStats"].append([said["result"]])
    for method, answer in json.loads((folder / "accepted-answers.json").read_text(encoding="utf-8")).items():
        told[method] += [answer["result"]] if "result" in answer else []
    known = json.loads((folder / "calls-by-verb.json").read_text(encoding="utf-8"))["methods"]
    recorded = {
        verb: {
            "source": "recorded",
            "calls": known[verb]["calls"],
            "arguments": arguments(asked[verb]),
            "answer": STATED_ELEMENTS.get(verb, {}) | merged(told[verb]),
        }
        for verb in sorted(asked)
    }
    return recorded | {verb: {"source": "stated", "calls": 0} | row for verb, row in STATED.items()}


def dump(table: dict[str, dict[str, Any]]) -> None:
    """Write the table, a verb a line."""
    rows = ",\n".join(
        f"{json.dumps(verb)}: {json.dumps(row, sort_keys=True)}" for verb, row in sorted(table.items())
    )
    TABLE.write_text(f"{{\n{rows}\n}}\n", encoding="utf-8")


def load() -> dict[str, dict[str, Any]]:
    """Return the committed table."""
    found: dict[str, dict[str, Any]] = json.loads(TABLE.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    dump(derive(Path(sys.argv[1]) / "vdsm"))
