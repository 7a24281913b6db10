"""Single sign-on: tokens, their revocation, and the answers of its servlets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.responses import JSONResponse, Response

from pytest_ovirt_release.lab.engine.auth import (
    EXPIRED,
    FAILED_LOGIN_SECONDS,
    NO_CREDENTIALS,
    Denied,
    LoginDenied,
    Session,
    basic,
)
from pytest_ovirt_release.lab.engine.events import ADMIN
from pytest_ovirt_release.lab.engine.fault import BAD_REQUEST
from pytest_ovirt_release.lab.engine.pages import html

if TYPE_CHECKING:
    from starlette.requests import Request

    from pytest_ovirt_release.lab.engine.auth import Doorkeeper
    from pytest_ovirt_release.lab.engine.core import Core

API_SCOPE = "ovirt-app-api"
API_NEEDS = (
    "ovirt-ext=token-info:authz-search",
    "ovirt-ext=token-info:public-authz-search",
    "ovirt-ext=token-info:validate",
    "ovirt-ext=token:password-access",
)
PORTAL_NEEDS = (API_SCOPE, *API_NEEDS, "ovirt-ext=revoke:revoke-all")
NEEDS = {API_SCOPE: API_NEEDS, "ovirt-app-admin": PORTAL_NEEDS, "ovirt-app-portal": PORTAL_NEEDS}
"""What a scope brings with it (the engine's table sso_scope_dependency)."""

FORM_LIMIT = 64 * 1024
NOT_FOR_BROWSERS = (
    "/ovirt-engine/oauth2-callback?error=unauthorized_client&error_description=Authentication+required."
)
COOKIE = "JSESSIONID"
HTTP_GRANT = "urn:ovirt:params:oauth:grant-type:http"
FRAME_HEADERS = {
    "X-XSS-PROTECTION": "1; MODE=BLOCK",
    "X-CONTENT-TYPE-OPTIONS": "NOSNIFF",
    "X-FRAME-OPTIONS": "SAMEORIGIN",
}
NO_GRANT = "The authorization grant type is not supported by the authorization server."
OTHER_GRANTS = {"authorization_code": ("invalid_request", "Missing parameter: 'client_id'")}
"""Grants that the engine has too, for clients that it knows, and why nobody else gets them."""

FAILED_LOGIN = (
    "User {user} connecting from '127.0.0.1' failed to log in : 'Unable to log in. Verify your login information "
    "or contact the system administrator.'."
)


@dataclass(frozen=True)
class Visit:
    """A request that was let in; `token` is of a session that was opened for it or ends with it."""

    session: Session
    token: str
    stays: bool


class Sso:
    """The SSO servlets."""

    def __init__(self, core: Core, doorkeeper: Doorkeeper, plain_base: str) -> None:
        """Take the engine, who knows the password, and where the engine sends browsers to."""
        self.core = core
        self.doorkeeper = doorkeeper
        self.plain_base = plain_base

    async def login_page(self, _request: Request) -> Response:
        """Send a browser that came without a request to log in to the front page."""
        headers = FRAME_HEADERS | {
            "Location": f"{self.plain_base}/ovirt-engine/",
            "Content-Language": "en-US",
        }
        return html("", 302, headers)

    async def status(self, _request: Request) -> Response:
        """Say that SSO is up."""
        return _json({"status_description": "SSO Webapp Deployed", "version": "0", "status": "active"})

    async def token(self, request: Request) -> Response:
        """Give a token for user name and password (any method, form or query)."""
        asked = await _parameters(request)
        scope = asked.get("scope", "")
        grant = asked.get("grant_type")
        if grant is None:
            return _refused("invalid_request", "Missing parameter: 'grant_type'", scope)
        if grant != "password":
            return _refused(*OTHER_GRANTS.get(grant, ("unsupported_grant_type", NO_GRANT)), scope)
        for name in ("username", "password"):
            if name not in asked:
                return _refused("invalid_request", f"Missing parameter: '{name}'", scope)
        try:
            await self.login(asked["username"], asked["password"])
        except LoginDenied as denied:
            return _refused("access_denied", str(denied), scope)
        token, session = self.doorkeeper.open()
        if request.headers.get("accept") != "application/json":
            # The engine notices this only after it has opened the session.
            return _refused("invalid_request", "Missing parameter: 'Accept Header'", scope)
        return _token(token, session, scope)

    async def http_token(self, request: Request) -> Response:
        """Give a token for a Basic header."""
        asked = await _parameters(request)
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "basic" or asked.get("grant_type") != HTTP_GRANT:
            return Response(None, 302, FRAME_HEADERS | {"Location": self.plain_base + NOT_FOR_BROWSERS})
        try:
            await self.login(*basic(value))
        except LoginDenied as denied:
            return _refused("access_denied", str(denied), asked.get("scope", ""))
        return _token(*self.doorkeeper.open(), asked.get("scope", ""))

    async def with_client(self, request: Request) -> Response:
        """Refuse what needs the engine's own client id: token-info and revoke."""
        asked = await _parameters(request)
        return _refused("invalid_request", "Missing parameter: 'client_id'", asked.get("scope", ""))

    async def logout(self, request: Request) -> Response:
        """End a session; the answer is the same whether there was one."""
        asked = await _parameters(request)
        session = self.doorkeeper.close(asked.get("token", ""))
        if session is not None and session.announced:
            self._say_left(session)
        return Response(b"{ }", media_type="application/json")

    async def admit(self, request: Request) -> Visit:
        """Let a request to the API in by token, cookie or password; Denied otherwise."""
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        stays = "persistent-auth" in request.headers.get("prefer", "")
        token, session = "", None
        if kind.lower() == "bearer":
            session = self.doorkeeper.session(value.strip())
        elif kind.lower() == "basic":
            try:
                await self.login(*basic(value))
            except LoginDenied as denied:
                raise Denied(f"access_denied: {denied}") from denied
            token, session = self.doorkeeper.open()
        elif COOKIE in request.cookies:
            token = "" if stays else request.cookies[COOKIE]
            session = self.doorkeeper.session(request.cookies[COOKIE])
        if session is None:
            raise Denied(EXPIRED if kind.lower() == "bearer" else NO_CREDENTIALS)
        self._announce(session)
        return Visit(session, token, stays=stays)

    def leave(self, visit: Visit, response: Response) -> None:
        """End the session of a password or a cookie, or keep it under a cookie when the client prefers that."""
        if visit.token and visit.stays:
            response.headers.append("Set-Cookie", f"{COOKIE}={visit.token}; path=/ovirt-engine/api; HttpOnly")
        elif visit.token:
            self.doorkeeper.close(visit.token)
            self._say_left(visit.session)

    def _announce(self, session: Session) -> None:
        if not session.announced:
            session.announced = True
            text = f"User {ADMIN} connecting from '127.0.0.1' using session '{session.id}' logged in."
            self.core.event(30, text, own=True)

    def _say_left(self, session: Session) -> None:
        text = f"User {ADMIN} connected from '127.0.0.1' using session '{session.id}' logged out."
        self.core.event(31, text, own=True)

    async def login(self, user: str, password: str) -> None:
        """Check credentials; a refused login of a real profile takes its time and is logged."""
        try:
            self.doorkeeper.check(user, password)
        except LoginDenied as denied:
            if denied.slow:
                await self.core.sleep(FAILED_LOGIN_SECONDS)
                self.core.event(114, FAILED_LOGIN.format(user=denied.user), user=denied.user)
            raise


async def _parameters(request: Request) -> dict[str, str]:
    """Return what stands in the query and in a form; a form beyond any use is cut off."""
    asked = dict(request.query_params)
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        data = bytearray()
        async for chunk in request.stream():
            data += chunk[: FORM_LIMIT - len(data)]
        asked.update(parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True))
    return asked


def _granted(scope: str) -> str:
    """Return all that a scope stands for, in order."""
    asked = scope.split()
    return " ".join(sorted({*asked, *(needed for name in asked for needed in NEEDS.get(name, ()))}))


def _token(token: str, session: Session, scope: str) -> Response:
    expires = str(int(session.expires) * 1000)
    return _json({"access_token": token, "scope": _granted(scope), "exp": expires, "token_type": "bearer"})


def _refused(code: str, text: str, scope: str) -> Response:
    if API_SCOPE in _granted(scope).split():
        return _json({"error_code": code, "error": text}, BAD_REQUEST)
    return _json({"error_description": text, "error": code}, BAD_REQUEST)


def _json(content: dict[str, str], status: int = 200) -> Response:
    return JSONResponse(content, status, FRAME_HEADERS)
