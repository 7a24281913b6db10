"""The REST API as a web application: authentication, versions, negotiation, routing, and how answers are worded."""

from __future__ import annotations

import logging
import re
import uuid
from typing import TYPE_CHECKING
from urllib.parse import unquote

from starlette.responses import Response

from pytest_ovirt_release.lab.engine import (
    attached_domains,
    attachments,
    clusters,
    datacenters,
    deployment,
    detaching,
    disks,
    fixed,
    history,
    hosts,
    running,
    storage_domains,
    transfers,
    vms,
)
from pytest_ovirt_release.lab.engine.auth import EXPIRED, Denied, Session, basic
from pytest_ovirt_release.lab.engine.call import Call, action_node
from pytest_ovirt_release.lab.engine.document import BODY_LIMIT, Body, Node, empty, fault_node, read, write
from pytest_ovirt_release.lab.engine.fault import (
    BAD_REQUEST,
    NOT_FOUND,
    Fault,
    NoSuchObject,
    Page,
    not_implemented,
)
from pytest_ovirt_release.lab.engine.pages import error_line, plain
from pytest_ovirt_release.lab.engine.router import METHOD_NOT_ALLOWED, NotAllowed, Route, Router
from pytest_ovirt_release.lab.engine.storage import said
from pytest_ovirt_release.lab.node.verbs import VdsmError

if TYPE_CHECKING:
    from starlette.requests import Request

    from pytest_ovirt_release.lab.engine.call import Reply
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.sso import Sso

log = logging.getLogger(__name__)

ROOT = "/ovirt-engine/api"
XML = "application/xml;charset=UTF-8"
UNAUTHORIZED, NOT_ACCEPTABLE, TOO_LARGE, UNSUPPORTED, INTERNAL = 401, 406, 413, 415, 500
READABLE = re.compile(r"application/(xml|\*)|text/html|\*/\*")
CORRELATION_LENGTH = 36
MODULES = (
    *(fixed, history, datacenters, clusters, hosts, deployment, storage_domains, attached_domains, detaching),
    *(disks, vms, attachments, running, transfers),
)


class _Answered(Exception):  # noqa: N818 - control flow with a response
    def __init__(self, response: Response) -> None:
        self.response = response


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
            await self._authenticate(request)
        except _Answered as answered:
            return answered.response
        correlation = _correlation(request)
        try:
            response = await self._serve(request, correlation)
        except _Answered as answered:
            response = answered.response
        response.headers["Correlation-Id"] = correlation
        return response

    async def _authenticate(self, request: Request) -> None:
        """Let a session in, or answer with the container's page and its reason."""
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        session: Session | None = None
        reason = "Unauthorized"
        if kind.lower() == "bearer":
            session, reason = self.sso.doorkeeper.session(value.strip()), EXPIRED
        elif kind.lower() == "basic":
            try:
                await self.sso.login(*basic(value))
                session = Session()
            except Denied as denied:
                reason = f"access_denied: {denied}"
        if session is None:
            headers = {"WWW-Authenticate": 'Basic realm="RESTAPI"'}
            raise _Answered(error_line(UNAUTHORIZED, reason, headers))
        if not session.announced:
            session.announced = True
            text = f"User admin@internal-authz connecting from '127.0.0.1' using session '{session.id}' logged in."
            self.core.event(30, text, own=True)

    async def _serve(self, request: Request, correlation: str) -> Response:
        """Find the operation, do it, and put whatever came of it into words."""
        prefix, parts, matrix = _split(request.url.path)
        _check_version(request, prefix)
        base = f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}"
        route: Route | None = None
        body: Body | None = None
        try:
            route, ids = self.router.find(request.method, parts, f"{base}{ROOT}/v4/{'/'.join(parts)}")
            _check_accept(request)
            body = await _body(request, route, base)
            query = _query(request, matrix)
            call = Call(request.method, request.url.path, base, prefix, ids, query, body, correlation)
            return _answer(await route.handler(self.core, call), base)
        except Fault as fault:
            return _refusal(fault, route, body)
        except VdsmError as error:
            log.warning("a host refused: %s", error)
            return _refusal(Fault(BAD_REQUEST, f"[{said(error)}]"), route, body)
        except (NotAllowed, NoSuchObject, Page) as end:
            return _ending(end, request.method)
        except _Answered:
            raise
        except Exception:
            log.exception("%s %s failed", request.method, request.url.path)
            return error_line(INTERNAL, "Internal Server Error")


def _query(request: Request, matrix: dict[str, str]) -> dict[str, str]:
    """Return all parameters; `follow` would change the answer, so it is refused by name."""
    query = matrix | dict(request.query_params)
    if query.get("follow"):
        raise not_implemented(f"{request.method} {request.url.path} with follow")
    return query


def _ending(end: Exception, method: str) -> Response:
    """Return the answers that are no documents."""
    if isinstance(end, Page):
        return plain(end.status, end.text)
    if isinstance(end, NotAllowed):
        if method == "OPTIONS":
            return plain_text(end.allow)
        return Response(None, METHOD_NOT_ALLOWED, {"Allow": end.allow})
    return Response(None, NOT_FOUND)


def plain_text(allow: str) -> Response:
    """Return what OPTIONS answers."""
    return Response(allow, media_type="text/plain;charset=UTF-8", headers={"Allow": allow})


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


def _check_version(request: Request, prefix: str) -> None:
    version = prefix.removeprefix(ROOT).removeprefix("/v") or request.headers.get("version", "4")
    if version == "3":
        text = f"HTTP method {request.method} is not supported by this URL"
        raise _Answered(error_line(METHOD_NOT_ALLOWED, text))
    if version != "4":
        raise _Answered(error_line(BAD_REQUEST, "Bad Request"))


def _check_accept(request: Request) -> None:
    accept = request.headers.get("accept", "*/*")
    if READABLE.search(accept):
        return
    if "application/json" in accept:
        raise not_implemented(f"{request.method} {request.url.path} in JSON")
    raise _Answered(Response(None, NOT_ACCEPTABLE))


async def _body(request: Request, route: Route, base: str) -> Body:
    """Read the document that an operation takes, with a cap on its size."""
    usage = base + route.usage
    if route.document is None:
        return empty(usage)
    kind = request.headers.get("content-type", "")
    if "json" in kind:
        raise not_implemented(f"{request.method} {request.url.path} with a JSON body")
    if not kind.startswith(("application/xml", "text/xml")):
        raise _Answered(Response(None, UNSUPPORTED))
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > BODY_LIMIT:
            raise _Answered(Response(None, TOO_LARGE))
    body = read(bytes(data), usage)
    if body.tag != route.document:
        raise Page(INTERNAL, "argument type mismatch")
    return body


def _correlation(request: Request) -> str:
    asked = request.headers.get("correlation-id") or request.query_params.get("correlation_id", "")
    kept = re.sub(r"[^0-9a-zA-Z_-]", "", asked)[:CORRELATION_LENGTH]
    return kept or str(uuid.uuid4())


def _answer(reply: Reply, base: str) -> Response:
    headers = dict(reply.headers)
    if reply.location is not None:
        # The path stands in it twice; real clients meet exactly this.
        headers["Location"] = f"{base}{ROOT}/v4{reply.location}"
    return _document(reply.content, reply.status, headers)


def _refusal(fault: Fault, route: Route | None, body: Body | None) -> Response:
    content = fault_node(fault)
    if route is not None and route.action and body is not None and not fault.bare:
        content = action_node(body.echo(), "", None, "failed", content)
    return _document(content, fault.status, {})


def _document(content: Node, status: int, headers: dict[str, str]) -> Response:
    return Response(write(content), status, headers, media_type=XML)
