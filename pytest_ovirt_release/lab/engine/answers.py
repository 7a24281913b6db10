"""How the API words what came of a request: documents, refusals, and answers that are no documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from pytest_ovirt_release.lab.engine.call import action_node
from pytest_ovirt_release.lab.engine.document import Node, fault_node, write
from pytest_ovirt_release.lab.engine.fault import NOT_FOUND, Fault, Page
from pytest_ovirt_release.lab.engine.pages import html
from pytest_ovirt_release.lab.engine.router import METHOD_NOT_ALLOWED, NotAllowed, Route

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.call import Reply
    from pytest_ovirt_release.lab.engine.document import Body

ROOT = "/ovirt-engine/api"
XML = "application/xml;charset=UTF-8"


class Answered(Exception):  # noqa: N818 - control flow with a response
    """A request that is answered before or instead of an operation."""

    def __init__(self, response: Response) -> None:
        """Take the answer."""
        self.response = response


def answer(reply: Reply, base: str) -> Response:
    """Return what an operation gave."""
    headers = dict(reply.headers)
    if reply.location is not None:
        # The path stands in it twice; real clients meet exactly this.
        headers["Location"] = f"{base}{ROOT}/v4{reply.location}"
    return document(reply.content, reply.status, headers)


def refusal(fault: Fault, route: Route | None, body: Body | None) -> Response:
    """Return a fault, inside `<action>` when an action was asked for."""
    content = fault_node(fault)
    if route is not None and route.action and body is not None and not fault.bare:
        content = action_node(body.echo(), "", None, "failed", content)
    return document(content, fault.status, {})


def document(content: Node, status: int, headers: dict[str, str]) -> Response:
    """Return a document of the API."""
    return Response(write(content), status, headers, media_type=XML)


def ending(end: Exception, method: str) -> Response:
    """Return the answers that are no documents."""
    if isinstance(end, Page):
        return html(end.text, end.status)
    if isinstance(end, NotAllowed):
        if method == "OPTIONS":
            return options(end.allow)
        return Response(None, METHOD_NOT_ALLOWED, {"Allow": end.allow})
    return Response(None, NOT_FOUND)


def options(allow: str) -> Response:
    """Return what OPTIONS answers."""
    return Response(allow, media_type="text/plain;charset=UTF-8", headers={"Allow": allow})


def headless(response: Response) -> Response:
    """Return the answer to HEAD: nobody writes a body, so nobody says of what type and length it is."""
    kept = {
        key: value for key, value in response.headers.items() if key not in {"content-type", "content-length"}
    }
    return Response(None, response.status_code, kept)
