"""Single sign-on: tokens, their revocation, and the answers of its servlets."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.responses import JSONResponse, RedirectResponse, Response

from pytest_ovirt_release.lab.engine.auth import FAILED_LOGIN_SECONDS, Denied, basic
from pytest_ovirt_release.lab.engine.fault import BAD_REQUEST

if TYPE_CHECKING:
    from starlette.requests import Request

    from pytest_ovirt_release.lab.engine.auth import Doorkeeper, Session
    from pytest_ovirt_release.lab.engine.core import Core

API_SCOPE = "ovirt-app-api"
GRANTED = (
    " ovirt-ext=token-info:authz-search ovirt-ext=token-info:public-authz-search"
    " ovirt-ext=token-info:validate ovirt-ext=token:password-access"
)
FORM_LIMIT = 64 * 1024
HTTP_GRANT = "urn:ovirt:params:oauth:grant-type:http"
FRAME_HEADERS = {
    "X-XSS-PROTECTION": "1; MODE=BLOCK",
    "X-CONTENT-TYPE-OPTIONS": "NOSNIFF",
    "X-FRAME-OPTIONS": "SAMEORIGIN",
}
NO_GRANT = "The authorization grant type is not supported by the authorization server."
FAILED_LOGIN = (
    "User {user} connecting from '127.0.0.1' failed to log in : 'Unable to log in. Verify your login information "
    "or contact the system administrator.'."
)


class Sso:
    """The SSO servlets."""

    def __init__(self, core: Core, doorkeeper: Doorkeeper) -> None:
        """Take the engine and who knows the password."""
        self.core = core
        self.doorkeeper = doorkeeper

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
            return _refused("unsupported_grant_type", NO_GRANT, scope)
        for name in ("username", "password"):
            if name not in asked:
                return _refused("invalid_request", f"Missing parameter: '{name}'", scope)
        try:
            await self.login(asked["username"], asked["password"])
        except Denied as denied:
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
            where = "/ovirt-engine/oauth2-callback?error=unauthorized_client"
            return RedirectResponse(where, 302, FRAME_HEADERS)
        try:
            await self.login(*basic(value))
        except Denied as denied:
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
            self.core.event(31, "User admin@internal-authz connecting from '127.0.0.1' logged out.", own=True)
        return Response(b"{ }", media_type="application/json")

    async def login(self, user: str, password: str) -> None:
        """Check credentials; a refused login of a real profile takes its time and is logged."""
        try:
            self.doorkeeper.check(user, password)
        except Denied as denied:
            if denied.slow:
                await self.core.sleep(FAILED_LOGIN_SECONDS)
                self.core.event(114, FAILED_LOGIN.format(user=denied.user), user="nobody")
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


def _token(token: str, session: Session, scope: str) -> Response:
    granted = scope + GRANTED if scope == API_SCOPE else scope
    expires = str(int(session.expires) * 1000)
    return _json({"access_token": token, "scope": granted, "exp": expires, "token_type": "bearer"})


def _refused(code: str, text: str, scope: str) -> Response:
    if API_SCOPE in scope.split():
        return _json({"error_code": code, "error": text}, BAD_REQUEST)
    return _json({"error_description": text, "error": code}, BAD_REQUEST)


def _json(content: dict[str, str], status: int = 200) -> Response:
    return JSONResponse(content, status, FRAME_HEADERS)
