"""From method and path to the operation; what the real API has and the lab does not answers 501 by name."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine import known
from pytest_ovirt_release.lab.engine.fault import NOT_FOUND, Page, not_implemented

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from pytest_ovirt_release.lab.engine.call import Call, Reply
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.fault import Fault

    Handler = Callable[[Core, Call], Awaitable[Reply]]

log = logging.getLogger(__name__)

METHOD_NOT_ALLOWED = 405


class NotAllowed(Exception):  # noqa: N818 - an answer, not a mistake
    """A method that a path does not take: 405, empty, with the methods that it takes."""

    def __init__(self, allow: str) -> None:
        """Take the value of the header Allow."""
        self.allow = allow
        super().__init__(allow)


@dataclass(frozen=True)
class Route:
    """One operation: `hosts/*/approve`, a star for each id. `document` is the element its body must be."""

    method: str
    pattern: str
    handler: Handler
    document: str | None = None

    @property
    def action(self) -> bool:
        """Return whether it is an action, whose refusals come inside `<action>`."""
        return self.document == "action"

    @property
    def usage(self) -> str:
        """Return where the API's documentation describes it."""
        service, verb = self.pattern.split("/")[-1], {"POST": "add", "PUT": "update"}.get(self.method, "get")
        if self.action:
            service, verb = self.pattern.split("/")[-3].removesuffix("s"), service
        elif service == "*":
            service = self.pattern.split("/")[-2].removesuffix("s")
        return f"/ovirt-engine/apidoc#services/{service}/methods/{verb}"


class Router:
    """All operations that the lab has."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """Take the routes of all collections."""
        self.routes = tuple(routes)
        self._by_shape: dict[tuple[str, int], list[tuple[Route, tuple[str, ...]]]] = {}
        for route in self.routes:
            pattern = tuple(route.pattern.split("/")) if route.pattern else ()
            self._by_shape.setdefault((route.method, len(pattern)), []).append((route, pattern))

    def find(self, method: str, parts: tuple[str, ...], url: str) -> tuple[Route, tuple[str, ...]]:
        """Return the operation and the ids in its path; Page 404, NotAllowed or Fault 501 where there is none."""
        wanted = "GET" if method == "HEAD" else method
        if (found := self._route(wanted, parts)) is not None:
            return found
        if not known.exists(parts):
            raise Page(NOT_FOUND, f"RESTEASY003210: Could not find resource for full path: {url}")
        allow = known.methods(parts)
        if wanted == "OPTIONS" or wanted not in allow.split(", "):
            raise NotAllowed(allow)
        operation = f"{method} /ovirt-engine/api/{'/'.join(parts)}"
        if wanted in {"PUT", "DELETE"} and (found := self._route("GET", parts)) is not None:
            # To an object that is not there nothing can be done, and that is what is said then.
            route, ids = found
            return Route(wanted, route.pattern, _after(route.handler, operation)), ids
        raise _refusal(operation)

    def _route(self, method: str, parts: tuple[str, ...]) -> tuple[Route, tuple[str, ...]] | None:
        for route, pattern in self._by_shape.get((method, len(parts)), ()):
            if _fits(pattern, parts):
                return route, tuple(part for star, part in zip(pattern, parts, strict=True) if star == "*")
        return None


def _refusal(operation: str) -> Fault:
    log.warning("not implemented: %s", operation)
    return not_implemented(operation)


def _after(look: Handler, operation: str) -> Handler:
    """Return what looks for an object, and refuses when it is there."""

    async def refuse(core: Core, call: Call) -> Reply:
        await look(core, call)
        raise _refusal(operation)

    return refuse


def _fits(pattern: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    return all(star in ("*", part) for star, part in zip(pattern, parts, strict=True))
