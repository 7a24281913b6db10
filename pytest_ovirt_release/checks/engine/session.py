"""One login per thread at the engine, every request with a deadline, every error one of ours."""

from __future__ import annotations

import contextlib
import io
import json
import math
import threading
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

import ovirtsdk4
import pycurl

from pytest_ovirt_release.checks.engine.errors import EngineAborted, EngineUntrusted, translate
from pytest_ovirt_release.checks.waiting import Interrupted, seconds_left
from pytest_ovirt_release.errors import ReleaseError, Unreachable
from pytest_ovirt_release.target.credentials import learned

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
LOGIN_SECONDS = 30
"""A wrong password is answered after 5 s on purpose; a healthy login takes well under one."""
LOGOUT_SECONDS = 5
LARGEST_SSO_ANSWER = 1024 * 1024
UNAUTHORIZED = 401


class BoundedConnection(ovirtsdk4.Connection):  # type: ignore[misc] # the SDK has no types
    """The SDK's connection, whose logins end, which stops when told to, and which knows no proxy but the target's."""

    def __init__(self, *, flag: threading.Event, ca_path: str, proxy: str, **settings: Any) -> None:  # noqa: ANN401
        """Take the stop flag, the target's proxy (empty: none) and the SDK's own settings."""
        self._flag = flag
        self._proxy = proxy
        self._ca_path = ca_path
        self.login_seconds = LOGIN_SECONDS
        super().__init__(ca_file=ca_path, **settings)

    def limit(self, seconds: float) -> None:
        """Set the longest time of the next requests; curl wants whole seconds."""
        self._timeout = max(1, math.ceil(seconds))

    def send(self, request: Any) -> Any:  # noqa: ANN401
        """Send a request that the stop flag can end."""
        context = super().send(request)
        self._guard(context[0])
        if request.method != "GET":
            # On a kept connection that dies curl sends a request once more by itself, whatever it changes.
            context[0].setopt(pycurl.FRESH_CONNECT, 1)
        return context

    def _guard(self, curl: Any) -> None:  # noqa: ANN401
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.PROXY, self._proxy)
        curl.setopt(pycurl.NOPROGRESS, 0)
        curl.setopt(pycurl.XFERINFOFUNCTION, lambda *_: 1 if self._flag.is_set() else 0)

    def _get_sso_response(self, url: str, params: Any = "") -> Any:  # noqa: ANN401
        """Log in or out within a deadline: the SDK's own request would wait for ever."""
        curl, body = pycurl.Curl(), io.BytesIO()
        try:
            curl.setopt(pycurl.URL, url)
            curl.setopt(pycurl.CUSTOMREQUEST, "POST")
            curl.setopt(pycurl.COPYPOSTFIELDS, urlencode(params))
            curl.setopt(pycurl.HTTPHEADER, ["Accept: application/json"])
            curl.setopt(pycurl.CAINFO, self._ca_path)
            curl.setopt(pycurl.TIMEOUT, self.login_seconds)
            curl.setopt(pycurl.CONNECTTIMEOUT, self.login_seconds)
            curl.setopt(pycurl.MAXFILESIZE, LARGEST_SSO_ANSWER)
            curl.setopt(pycurl.WRITEFUNCTION, body.write)
            self._guard(curl)
            curl.perform()
            status = curl.getinfo(pycurl.RESPONSE_CODE)
        finally:
            curl.close()
        try:
            answer = json.loads(body.getvalue())
        except ValueError as error:
            raise Unreachable(f"the engine's login service answered HTTP {status} without JSON") from error
        first = answer[0] if isinstance(answer, list) and answer else answer  # the SDK takes both
        if isinstance(first, dict) and (token := first.get("access_token")):
            learned(str(token))
        return answer


class Session:
    """Connections to one engine, one for each thread."""

    def __init__(  # noqa: PLR0913 - all of it is needed to log in, and given by keyword
        self,
        *,
        url: str,
        user: str,
        password: str,
        ca_file: str,
        seconds: float,
        flag: threading.Event,
        proxy: str = "",
    ) -> None:
        """Take where and as whom to log in, the usual deadline of a request, the stop flag, and the proxy if any."""
        self.url = url
        self.user = user
        self.flag = flag
        self.logins = 0
        self._proxy = proxy
        self._password = password
        self._ca_file = ca_file
        self._seconds = seconds
        self._local = threading.local()
        self._all: list[BoundedConnection] = []

    def call(
        self,
        request: str,
        ask: Callable[[Any], T],
        *,
        seconds: float | None = None,
        correlation: str | None = None,
    ) -> T:
        """Ask the engine: `ask` gets the SDK's system service.

        Raises:
            EngineFault: it refused. Unreachable: no (usable) answer. EngineUntrusted: TLS. WrongPassword.
            Interrupted: the stop flag ended the request.
        """
        for attempt in (1, 2):
            connection = self._connection()
            connection.limit(self._allowed(seconds))
            try:
                return ask(connection.system_service())
            except (Unreachable, ReleaseError, EngineUntrusted):
                self._drop(connection)
                raise
            except Exception as error:
                if getattr(error, "code", None) == UNAUTHORIZED and attempt == 1:
                    self._drop(
                        connection
                    )  # the token died; nothing was done yet, so asking again is harmless
                    continue
                ours = translate(
                    error, url=self.url, user=self.user, request=request, correlation=correlation
                )
                if isinstance(ours, EngineAborted):
                    self._drop(connection)
                    raise Interrupted(f"interrupted while asking the engine to {request}") from None
                if ours is error:
                    raise
                if isinstance(ours, Unreachable | EngineUntrusted | ReleaseError):
                    self._drop(connection)  # a failed handle stays in curl's pool and spoils later requests
                # What the SDK raised says less than ours does, in fifty lines.
                raise ours from None
        raise Unreachable(f"engine {self.url} ends every session at once")

    def _allowed(self, seconds: float | None) -> float:
        """Return how long the next request may take: no longer than the wait that it is part of."""
        usual, left = self._seconds if seconds is None else seconds, seconds_left()
        return usual if left is None else min(usual, left)

    def close(self) -> None:
        """Log out everywhere, within seconds, and never fail: what the body raised must stay visible."""
        for connection in self._all:
            self._close(connection, logout=True)
        self._all.clear()
        self._local = threading.local()

    def _connection(self) -> BoundedConnection:
        connection: BoundedConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = BoundedConnection(
                flag=self.flag,
                ca_path=self._ca_file,
                proxy=self._proxy,
                url=self.url,
                username=self.user,
                password=self._password,
                timeout=math.ceil(self._seconds),
            )
            self._local.connection = connection
            self._all.append(connection)
            self.logins += 1
        return connection

    def _drop(self, connection: BoundedConnection) -> None:
        self._local.connection = None
        if connection in self._all:
            self._all.remove(connection)
        self._close(connection, logout=False)

    @staticmethod
    def _close(connection: BoundedConnection, *, logout: bool) -> None:
        connection.login_seconds = LOGOUT_SECONDS
        try:
            if logout:
                connection.close(logout=True)
                return
        except Exception:  # noqa: BLE001, S110 - a failed logout changes nothing; the token expires by itself
            pass
        with contextlib.suppress(pycurl.error):  # a handle that still runs goes with the process
            connection.close(logout=False)
