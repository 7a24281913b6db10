"""Which servlet answers at which path of the engine's web site, and what the container adds to every answer."""

from __future__ import annotations

import gzip
import re
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from pytest_ovirt_release.lab.engine.api import Api
from pytest_ovirt_release.lab.engine.front import front
from pytest_ovirt_release.lab.engine.pages import error_line, missing_page
from pytest_ovirt_release.lab.engine.services import Services
from pytest_ovirt_release.lab.engine.sso import Sso

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from pytest_ovirt_release.lab.engine.auth import Doorkeeper
    from pytest_ovirt_release.lab.engine.core import Core

    Servlet = Callable[[Request], Awaitable[Response]]

ENGINE = "/ovirt-engine"
ANY = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"]
FAST = 1
"""Compression level: clients poll, and everybody waits for the one event loop."""

LOCALE_SECONDS = 2**31 - 1
COMPRESSED = re.compile(r"(text/(css|html|javascript|json|xml))|(application/(json|xml))(;.*)?")
"""Content types that the container compresses; its pattern leaves out pages with a character set."""


def site(core: Core, doorkeeper: Doorkeeper, ca_pem: str, engine_pem: str, plain_base: str) -> Starlette:
    """Return the web site; `plain_base` is where the engine believes its users to be, as the real one does."""
    sso = Sso(core, doorkeeper, plain_base)
    services = Services(core, ca_pem, engine_pem)
    api = Api(core, sso)
    pages: dict[str, Servlet] = {
        "/": partial(front, core),
        "/services/health": _reading(services.health),
        "/services/health/{path:path}": _reading(services.health),
        "/services/pki-resource": _reading(services.pki_resource),
        "/services/host-register": _reading(services.host_register),
        "/services/sso-logout": sso.logout,
        "/sso/status": sso.status,
        "/sso/login.html": sso.login_page,
        "/sso/oauth/token": sso.token,
        "/sso/oauth/token-http-auth": sso.http_token,
        "/sso/oauth/token-info": sso.with_client,
        "/sso/oauth/revoke": sso.with_client,
    }
    routes = [
        # The API first: nearly all requests are its own.
        Route(ENGINE + "/api", _compressed(api.__call__), methods=ANY),
        Route(ENGINE + "/api/{path:path}", _compressed(api.__call__), methods=ANY),
        Route("/", _to(ENGINE)),
        Route(ENGINE, _to(ENGINE + "/")),
        *(
            Route(ENGINE + path, _localized(_compressed(servlet)), methods=ANY)
            for path, servlet in pages.items()
        ),
        Route(ENGINE + "/{path:path}", _localized(_missing), methods=ANY),
        Route("/{path:path}", _not_found, methods=ANY),
    ]
    application = Starlette(routes=routes)
    application.router.redirect_slashes = False
    return application


def _localized(servlet: Servlet) -> Servlet:
    """Return a servlet that also sets the cookie for the language, as all of the engine's pages do."""

    async def serve(request: Request) -> Response:
        response = await servlet(request)
        secure = " secure;" if request.url.scheme == "https" else ""
        expires = (datetime.now(UTC) + timedelta(seconds=LOCALE_SECONDS)).strftime(
            "%a, %d-%b-%Y %H:%M:%S GMT"
        )
        cookie = f"locale=en_US; path=/;{secure} HttpOnly; Max-Age={LOCALE_SECONDS}; Expires={expires}"
        response.headers.append("Set-Cookie", cookie)
        return response

    return serve


def _compressed(servlet: Servlet) -> Servlet:
    """Return a servlet that answers in gzip those who can read it."""

    async def serve(request: Request) -> Response:
        response = await servlet(request)
        asked = re.search(r"gzip\s*(;\s*q=0(\.0*)?\s*(,|$))?", request.headers.get("accept-encoding", ""))
        kind = response.headers.get("content-type", "")
        if response.body and asked and not asked[1] and COMPRESSED.fullmatch(kind):
            response.body = gzip.compress(response.body, FAST)
            response.headers["Content-Encoding"] = "gzip"
            response.headers["Content-Length"] = str(len(response.body))
        return response

    return serve


def _reading(servlet: Servlet) -> Servlet:
    """Return a servlet that only reads: other methods get the page for that.

    HEAD is answered without the character set, which the container knows only when somebody writes.
    """

    async def serve(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(None, headers={"Allow": "GET, HEAD, TRACE, OPTIONS"})
        if request.method not in {"GET", "HEAD"}:
            return missing_page(405)
        response = await servlet(request)
        if request.method == "HEAD" and response.status_code == 200:  # noqa: PLR2004 - a good answer
            response.headers["Content-Type"] = response.headers["Content-Type"].partition(";")[0]
        return response

    return serve


def _to(where: str) -> Servlet:
    async def redirect(request: Request) -> Response:
        return RedirectResponse(f"{request.url.scheme}://{request.headers.get('host', '')}{where}", 302)

    return redirect


async def _missing(_request: Request) -> Response:
    return missing_page()


async def _not_found(_request: Request) -> Response:
    return error_line(404, "Not Found")
