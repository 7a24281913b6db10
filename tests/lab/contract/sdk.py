"""All operations of the engine's SDK, read from the SDK itself: service, method, HTTP method and path."""

from __future__ import annotations

import inspect
import re
from collections import deque
from dataclasses import dataclass

from ovirtsdk4 import services

HTTP = {"get": "GET", "add": "POST", "update": "PUT", "remove": "DELETE", "action": "POST"}
CALL = re.compile(r"self\._internal_(get|add|update|remove|action)\((?:action, '(\w+)')?")
CLASS = re.compile(r"^class (\w+)(.*?)(?=^class |\Z)", re.MULTILINE | re.DOTALL)
LOCATOR = re.compile(r"return (\w+)\(self\._connection, '%s/(%s|[\w-]+)' %")


@dataclass(frozen=True)
class Operation:
    """One operation; `path` is the shortest at which the SDK reaches its service, a star for each id."""

    service: str
    name: str
    method: str
    path: str


def operations() -> list[Operation]:
    """Return every operation once, services in the order of their paths."""
    # inspect would parse the whole module anew for every class.
    sources = dict(CLASS.findall(inspect.getsource(services)))
    waiting = deque([("SystemService", "")])
    paths: dict[str, str] = {}
    while waiting:
        name, path = waiting.popleft()
        if name in paths:
            continue
        paths[name] = path
        for child, part in LOCATOR.findall(sources[name]):
            waiting.append((child, f"{path}/{'*' if part == '%s' else part}".strip("/")))
    found = [operation for name, path in paths.items() for operation in _operations(name, path)]
    return sorted(found, key=lambda o: (o.path, o.service, o.name))


def _operations(service: str, path: str) -> list[Operation]:
    found = []
    for name, function in vars(getattr(services, service)).items():
        if name.startswith("_") or not inspect.isfunction(function):
            continue
        call = CALL.search(inspect.getsource(function))
        if call is not None:
            whole = f"{path}/{call[2] or ''}".strip("/")
            found.append(Operation(service, name, HTTP[call[1]], whole))
    return found
