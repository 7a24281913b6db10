"""Who may come in: the one administrator, sessions by token, Basic, and the words of each refusal."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.ids import Ids

PROFILE = "internal"
FAILED_LOGIN_SECONDS = 5.0
"""How long the engine's user directory delays every failed login."""

WRONG = "Unable to log in. Verify your login information or contact the system administrator.."
NO_PROFILE = "No valid profile found in credentials.."
NO_USER = "No user name found in credentials.."
NO_CREDENTIALS = "Unauthorized"
EXPIRED = "invalid_grant: The provided authorization grant for the auth code has expired."
TOKEN_LIFETIME = 7 * 24 * 3600


class Denied(Exception):  # noqa: N818 - an answer, not a mistake
    """Somebody who may not come in; the text is the engine's."""


class LoginDenied(Denied):
    """A login that failed; `slow` ones were tried against the user directory."""

    def __init__(self, user: str, why: str, *, slow: bool = False) -> None:
        """Take the user as the engine shows it (`admin@internal`) and the reason."""
        self.user = user
        self.slow = slow
        super().__init__(f"Cannot authenticate user '{user}': {why}")


@dataclass
class Session:
    """A login. `announced` once the API has seen it: only then the engine logs it."""

    id: str
    announced: bool = False
    expires: float = field(default_factory=lambda: time.time() + TOKEN_LIFETIME)


class Doorkeeper:
    """Knows the password and the open sessions."""

    def __init__(self, user: str, password: str, ids: Ids) -> None:
        """Take the administrator's name and password, and what names sessions."""
        self._ids = ids
        self._user = user
        self._password = password
        self._sessions: dict[str, Session] = {}

    def check(self, user: str, password: str) -> None:
        """Return when the credentials are right; LoginDenied says what the engine says."""
        name, _, profile = user.rpartition("@")
        if not _:
            name, profile = profile, "N/A"
        if not name:
            raise LoginDenied(f"@{profile}", NO_USER)
        if profile != PROFILE:
            raise LoginDenied(f"{name}@{profile}", NO_PROFILE)
        right = hmac.compare_digest(password.encode(), self._password.encode())
        if name != self._user or not right:
            raise LoginDenied(f"{name}@{profile}", WRONG, slow=True)

    def open(self) -> tuple[str, Session]:
        """Start a session and return its token: 64 random bytes, 86 characters."""
        token = secrets.token_urlsafe(64)
        self._sessions[token] = Session(self._ids.session())
        return token, self._sessions[token]

    def session(self, token: str) -> Session | None:
        """Return the session of a token that is open and has not expired."""
        session = self._sessions.get(token)
        return None if session is None or session.expires < time.time() else session

    def close(self, token: str) -> Session | None:
        """End a session and return it, if there was one."""
        return self._sessions.pop(token, None)


def basic(value: str) -> tuple[str, str]:
    """Return user and password of a Basic header's value; empty ones when it cannot be read."""
    try:
        user, colon, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return (user, password) if colon else ("", "")
