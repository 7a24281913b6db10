"""The REST API as a web application: authentication, versions, negotiation, routing, and how answers are worded."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from starlette.responses import Response

from pytest_ovirt_release.lab.engine import (
    attached_domains,
    attachments,
    cluster_levels,
    clusters,
    datacenters,
    deployment,
    detaching,
    disks,
    external,
    fixed,
    history,
    host_actions,
    host_parts,
    host_statistics,
    hosts,
    migration,
    moving,
    networks,
    new_host,
    nics,
    operating_systems,
    policies,
    power,
    running,
    storage_connections,
    storage_domains,
    templates,
    transfers,
    unregistered,
    unused,
    vm_parts,
    vms,
)
from pytest_ovirt_release.lab.engine.answers import ROOT, Answered, answer, ending, headless, refusal
from pytest_ovirt_release.lab.engine.auth import Denied
from pytest_ovirt_release.lab.engine.call import Call
from pytest_ovirt_release.lab.engine.document import BODY_LIMIT, Body, empty, read
from pytest_ovirt_release.lab.engine.documents import check
from pytest_ovirt_release.lab.engine.fault import (
    BAD_REQUEST,
    Fault,
    NoSuchObject,
    Page,
    not_implemented,
)
from pytest_ovirt_release.lab.engine.follow import BadLink, fetcher, follow
from pytest_ovirt_release.lab.engine.follow import parse as links_tree
from pytest_ovirt_release.lab.engine.pages import error_line
from pytest_ovirt_release.lab.engine.router import METHOD_NOT_ALLOWED, NotAllowed, Route, Router
from pytest_ovirt_release.lab.engine.storage import said
from pytest_ovirt_release.lab.node.verbs import VdsmError

if TYPE_CHECKING:
    from starlette.requests import Request

    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.sso import Sso
    from pytest_ovirt_release.lab.ids import Ids

log = logging.getLogger(__name__)

UNAUTHORIZED, NOT_ACCEPTABLE, TOO_LARGE, UNSUPPORTED, INTERNAL = 401, 406, 413, 415, 500
READABLE = re.compile(r"application/(xml|\*)|text/html|\*/\*")
CORRELATION_LENGTH = 36
DEPRECATED = 13000
OLD_API = (
    'Client from address "127.0.0.1" is using version 3 of the API, which has been deprecated since version 4.0 of the '
    "engine, and will no longer be supported starting with version 4.3. It is highly recommended to update the client "
    "to use a supported version of the API and the SDKs, before upgrading to version 4.3 of the engine."
)
MODULES = (
    *(fixed, history, datacenters, clusters, cluster_levels),
    *(hosts, new_host, deployment, moving, host_actions, host_parts, host_statistics),
    *(storage_domains, storage_connections, attached_domains, detaching),
    *(disks, unregistered, vms, attachments, running, transfers, networks, policies),
    *(templates, nics, vm_parts, power, migration, external, operating_systems),
    unused,
)


class Api:
    """Everything below /ovirt-engine/api."""

    def __init__(self, core: Core, sso: Sso) -> None:
        """Take the engine, and who knows the sessions."""
        self.core = core
        self.sso = sso
        self.router = Router(route for module in MODULES for route in module.ROUTES)

    async def __call__(self, request: Request) -> Response:
        """Answer one request."""
        try:
            visit = await self.sso.admit(request)
        except Denied as denied:
            headers = {"WWW-Authenticate": 'Basic realm="RESTAPI"'}
            return error_line(UNAUTHORIZED, str(denied), headers)
        correlation = _correlation(request, self.core.ids)
        try:
            response = await self._serve(request, correlation)
        except Answered as answered:
            response = answered.response
        response = headless(response) if request.method == "HEAD" else response
        response.headers["Correlation-Id"] = correlation
        self.sso.leave(visit, response)
        return response

    async def _serve(self, request: Request, correlation: str) -> Response:
        """Find the operation, do it, and put whatever came of it into words."""
        path, scheme = request.scope["path"], request.scope["scheme"]
        prefix, parts, matrix = _split(path)
        self._check_version(request, prefix)
        base = f"{scheme}://{request.headers.get('host', '')}"
        route: Route | None = None
        body: Body | None = None
        try:
            route, ids = self.router.find(request.method, parts, f"{base}{ROOT}/v4/{'/'.join(parts)}")
            as_json = _check_accept(request)
            body = await _body(request, route, base)
            query = _query(request, matrix)
            call = Call(request.method, path, base, prefix, ids, query, body, correlation)
            reply = await route.handler(self.core, call)
            if query.get("follow"):
                fetch = fetcher(self.core, self.router, call)
                reply = replace(
                    reply, content=await follow(reply.content, links_tree(query["follow"]), fetch)
                )
            return _in_json(request) if as_json else answer(reply, base)
        except Fault as fault:
            return refusal(fault, route, body)
        except VdsmError as error:
            log.warning("a host refused: %s", error)
            return refusal(Fault(BAD_REQUEST, f"[{said(error)}]"), route, body)
        except (NotAllowed, NoSuchObject, Page) as end:
            return ending(end, request.method)
        except BadLink as bad:
            return error_line(INTERNAL, f"java.lang.IllegalStateException: {bad}")
        except Answered:
            raise
        except Exception:
            log.exception("%s %s failed", request.method, request.url.path)
            return error_line(INTERNAL, "Internal Server Error")

    def _check_version(self, request: Request, prefix: str) -> None:
        version = prefix.removeprefix(ROOT).removeprefix("/v") or request.headers.get("version", "4")
        if version == "3":
            self._warn_of_version_3()
            text = f"HTTP method {request.method} is not supported by this URL"
            raise Answered(error_line(METHOD_NOT_ALLOWED, text))
        if version != "4":
            raise Answered(error_line(BAD_REQUEST, "Bad Request"))

    def _warn_of_version_3(self) -> None:
        """Log that somebody uses an old API; the engine says so once in a long while only."""
        if not any(event.code == DEPRECATED for event in self.core.events.events):
            self.core.event(DEPRECATED, OLD_API, user="SYSTEM", own=True)


def _query(request: Request, matrix: dict[str, str]) -> dict[str, str]:
    """Return all parameters; two of them may also be headers."""
    query = matrix | dict(request.query_params)
    for name in ("filter", "all_content"):
        if (asked := request.headers.get(name.replace("_", "-"))) is not None:
            query.setdefault(name, asked)
    return query


def _split(path: str) -> tuple[str, tuple[str, ...], dict[str, str]]:
    """Return the prefix as the client wrote it, the path's parts, and its matrix parameters (`;max=1`)."""
    rest = path.removeprefix(ROOT).strip("/")
    segments = rest.split("/") if rest else []
    prefix = ROOT
    if segments and re.fullmatch(r"v\d+", segments[0]):
        prefix = f"{ROOT}/{segments.pop(0)}"
    matrix: dict[str, str] = {}
    parts: list[str] = []
    for segment in segments:
        name, *parameters = segment.split(";")
        parts.append(unquote(name))
        matrix.update({key: value for key, _, value in (item.partition("=") for item in parameters)})
    return prefix, tuple(parts), matrix


def _check_accept(request: Request) -> bool:
    """Return whether JSON is wanted; that is refused by name, but what is not there is not there in JSON either."""
    accept = request.headers.get("accept", "*/*")
    if READABLE.search(accept):
        return False
    if "application/json" not in accept:
        raise Answered(Response(None, NOT_ACCEPTABLE))
    if request.method != "GET":
        raise not_implemented(f"{request.method} {request.url.path} in JSON")
    return True


async def _body(request: Request, route: Route, base: str) -> Body:
    """Read the document that an operation takes, with a cap on its size."""
    usage = base + route.usage
    if route.document is None:
        return empty(usage)
    kind = request.headers.get("content-type", "")
    if "json" in kind:
        raise not_implemented(f"{request.method} {request.url.path} with a JSON body")
    if not kind.startswith(("application/xml", "text/xml")):
        raise Answered(Response(None, UNSUPPORTED))
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > BODY_LIMIT:
            raise Answered(Response(None, TOO_LARGE))
    body = read(bytes(data), usage)
    if body.tag != route.document:
        raise Page(INTERNAL, "argument type mismatch")
    check(body)
    return body


def _in_json(request: Request) -> Response:
    """Refuse by name to write an answer in JSON."""
    raise not_implemented(f"{request.method} {request.url.path} in JSON")


def _correlation(request: Request, ids: Ids) -> str:
    asked = request.headers.get("correlation-id") or request.query_params.get("correlation_id", "")
    kept = re.sub(r"[^0-9a-zA-Z_-]", "", asked)[:CORRELATION_LENGTH]
    return kept or ids.uuid(f"{request.method} request")
