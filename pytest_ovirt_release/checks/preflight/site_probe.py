"""Addresses where release files or a database are: whether anybody listens there."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from pytest_ovirt_release.checks.preflight.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_ovirt_release.checks.preflight.probe import Asked

PORTS = {"https": 443, "http": 80, "postgresql": 5432, "postgres": 5432}


def look_at_address(what: str, url: str, asked: Asked) -> Sequence[Finding]:
    """Return whether somebody listens at an address; nothing is said to them."""
    parts = urlsplit(url)
    host = parse_qs(parts.query).get("host", [""])[0] or unquote(parts.hostname or "")
    port = parts.port or PORTS.get(parts.scheme, 0)
    where = f"{host}/.s.PGSQL.{port}" if host.startswith("/") else f"{host}:{port}"
    try:
        _connect(host, port, where, asked.seconds)
    except OSError as error:
        todo = "check the address, and that this machine can reach it"
        return (Finding(what, "wrong", f"nothing answers at {where}: {error.strerror or error}", todo),)
    return (Finding(what, "works", f"{where} answers"),)


def _connect(host: str, port: int, where: str, seconds: float) -> None:
    if host.startswith("/"):
        with socket.socket(socket.AF_UNIX) as plain:
            plain.settimeout(seconds)
            plain.connect(where)
        return
    socket.create_connection((host, port), timeout=seconds).close()
