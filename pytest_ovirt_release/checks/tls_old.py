"""Whether a server still offers TLS older than 1.2, and the honest word for where we could not find out.

OpenSSL 3 by itself offers no cipher below TLS 1.2, so a plain attempt fails whatever the server does. With
SECLEVEL=0 it does offer them; where a system's policy forbids even that, the answer is *inconclusive*.
"""

from __future__ import annotations

import ssl
import warnings
from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.tls_connection import connected
from pytest_ovirt_release.errors import CheckFailed, Unreachable

if TYPE_CHECKING:
    from pytest_ovirt_release.checks.tls_connection import Endpoint

OFFERED, REFUSED = "offered", "refused"
INCONCLUSIVE = "inconclusive"
PROTOCOL_REFUSED = frozenset({"TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "WRONG_SSL_VERSION"})
"""What OpenSSL calls a server's refusal of the version itself; any other failure tells nothing about it."""

VERSIONS = ("TLSv1", "TLSv1_1")


def refuse_old_tls(endpoint: Endpoint, deadline: float) -> dict[str, str]:
    """Return for each old version whether the server refused it, or why that is inconclusive.

    Args:
        endpoint: the server, whose certificate does not matter here.
        deadline: seconds for each of two handshakes.

    Raises:
        CheckFailed: `old-tls-offered`.
    """
    found = {name: _attempt(endpoint, name, deadline) for name in VERSIONS}
    offered = [name.replace("_", ".") for name, answer in found.items() if answer == OFFERED]
    if offered:
        raise CheckFailed(
            "old-tls-offered",
            f"{endpoint} still speaks {' and '.join(offered)}; TLS 1.2 has to be the oldest",
        )
    return found


def _attempt(endpoint: Endpoint, version: str, deadline: float) -> str:
    try:
        context = _only(version)
        with connected(endpoint, context, deadline):
            return OFFERED
    except ssl.SSLError as error:
        if error.reason in PROTOCOL_REFUSED:
            return REFUSED
        return f"{INCONCLUSIVE}: {error.reason or error}"
    except (Unreachable, ValueError) as error:
        return f"{INCONCLUSIVE}: {error}"


def _only(version: str) -> ssl.SSLContext:
    """Return a context that offers just this version, and looks at no certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that they are old is why we ask
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    return context
