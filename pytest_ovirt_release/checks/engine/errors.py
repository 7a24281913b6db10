"""What the SDK raises, turned into what it means.

The SDK says "Error" for a refused connection, a time-out, an HTML page of a starting engine and a fault alike,
and leaks TypeError and pycurl.error; nobody but this module looks at its exceptions.
"""

from __future__ import annotations

import re
import traceback

import ovirtsdk4
import pycurl

from pytest_ovirt_release.errors import Blocked, ReleaseError, Unproven, Unreachable

_CURL_NUMBER = re.compile(r"\((?:<[^>]*>, )?(\d+), ")
_TLS = {
    pycurl.E_SSL_CONNECT_ERROR,
    pycurl.E_SSL_CERTPROBLEM,
    pycurl.E_SSL_CIPHER,
    pycurl.E_PEER_FAILED_VERIFICATION,
}
_NO_CONNECTION = {pycurl.E_COULDNT_CONNECT, pycurl.E_COULDNT_RESOLVE_HOST}
_SSO = "Error during SSO authentication"
SERVER_ERROR = 500
NOT_IMPLEMENTED = 501
NOT_FOUND = 404
CONFLICT = 409
_PASSING_CONFLICTS = (
    "asynchronous running tasks",
    "currently in progress",
    "try again",
    "is locked",
    "status is locked",
    "are locked",
    "vm is running",
    "at least one of the vms is not down",
    "running virtual machines",
    "running vms",
    # A node that went away in mid-cycle is mostly rebooting; one that stays away ends the removal's deadline.
    "there is no active host in the data center",
)


class EngineFault(Unproven):
    """The engine understood and refused: HTTP status, the fault's reason and detail, and what was asked.

    Where a refusal disproves a requirement, the check says so; anywhere else it only leaves it unproven.
    """

    def __init__(
        self,
        status: int | None,
        reason: str,
        detail: str,
        *,
        request: str = "",
        correlation: str | None = None,
    ) -> None:
        """Take what the engine answered, the request in words and the correlation id it carried."""
        self.status = status
        self.reason = reason
        self.detail = detail
        self.request = request
        self.correlation = correlation
        said = detail.strip() or reason or "without a word"
        text = f"the engine refused to {request or 'do it'}: HTTP {status}, {said}"
        super().__init__(text + (f" (correlation id {correlation})" if correlation else ""))

    @property
    def gone(self) -> bool:
        """Whether the object is not there (any more)."""
        return self.status == NOT_FOUND

    @property
    def passing(self) -> bool:
        """Whether the engine refused only because something else is still going on."""
        said = f"{self.reason} {self.detail}".casefold()
        return self.status == CONFLICT and any(words in said for words in _PASSING_CONFLICTS)


class EngineUntrusted(Blocked):
    """The engine's certificate is not verified by the target's CA: nothing may be said to it."""

    def __init__(self, why: str) -> None:
        """Take one sentence."""
        super().__init__("ssl-setup", why)


class NotSent(Unreachable):
    """No connection to the engine came about, so that it cannot have heard of the request."""


class WrongPassword(ReleaseError):  # noqa: N818 - reads as what happened
    """The engine does not let this user in."""


class EngineAborted(Exception):  # noqa: N818 - raised on purpose
    """A request was ended because the run was told to stop."""


def translate(
    error: BaseException, *, url: str, user: str, request: str, correlation: str | None
) -> Exception:
    """Return the error of ours for whatever came out of the SDK; a programming error comes back as it is."""
    if isinstance(error, ovirtsdk4.Error):
        return _translate_sdk(error, url, user, request, correlation)
    if isinstance(error, pycurl.error):
        return _by_number(int(error.args[0]), str(error), url, request)
    if _from_sdk(error):
        return Unreachable(f"engine {url} gave no usable answer when asked to {request}: {error}")
    return error if isinstance(error, Exception) else RuntimeError(str(error))


def _translate_sdk(
    error: ovirtsdk4.Error, url: str, user: str, request: str, correlation: str | None
) -> Exception:
    text = str(error)
    if isinstance(error, ovirtsdk4.AuthError) and text.startswith(_SSO):
        said = text.removeprefix(_SSO).strip()
        return WrongPassword(
            f"engine {url} does not let {user} in: {said}; check user and password of [engine] in the target file"
        )
    fault = error.fault
    if fault is not None or (error.code is not None and error.code < SERVER_ERROR):
        reason, detail = (fault.reason or "", fault.detail or "") if fault is not None else ("", "")
        if error.code is None or error.code <= NOT_IMPLEMENTED:
            return EngineFault(error.code, reason, _plain(detail), request=request, correlation=correlation)
    number = _CURL_NUMBER.search(text)
    if number is not None:
        return _by_number(int(number.group(1)), text, url, request)
    return Unreachable(f"engine {url} gave no usable answer when asked to {request}: {text}")


def _by_number(number: int, text: str, url: str, request: str) -> Exception:
    if number in _TLS:
        return EngineUntrusted(f"the target's CA does not verify engine {url}: {text}")
    if number == pycurl.E_SSL_CACERT_BADFILE:
        return ReleaseError(f"the CA file of [engine] in the target file cannot be used: {text}")
    if number == pycurl.E_ABORTED_BY_CALLBACK:
        return EngineAborted(request)
    kind = NotSent if number in _NO_CONNECTION else Unreachable
    return kind(f"engine {url} did not answer when asked to {request}: {text}")


def _plain(detail: str) -> str:
    """Take the square brackets off that the engine renders its list of sentences with."""
    detail = detail.strip()
    if detail.startswith("[") and detail.endswith("]"):
        detail = detail[1:-1]
    return " ".join(detail.split())


def _from_sdk(error: BaseException) -> bool:
    """Return whether this is how the SDK shows an answer that it cannot read, not a mistake of ours."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames or "ovirtsdk4" not in frames[-1].filename:
        return False
    # Torn XML is a bare Exception; an answer without a content type is a TypeError of its regular expression.
    return type(error) is Exception or frames[-1].name == "_check_content_type"
