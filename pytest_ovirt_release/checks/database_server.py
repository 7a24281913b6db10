"""The server that `--release-database` names: its address, its password, and no password in the address."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.local.postgres import Connection, write_pgpass
from pytest_ovirt_release.local.postgres_programs import embedded_programs

if TYPE_CHECKING:
    from collections.abc import Mapping

URL_FORM = "postgresql://USER@HOST[:PORT][/MAINTENANCE-DATABASE][?sslmode=…&sslrootcert=…&host=SOCKET-FOLDER]"
URL_SETTINGS = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT"}


@dataclass(frozen=True)
class Server:
    """A server we may create databases on, and the database that such statements are sent to."""

    connection: Connection
    maintenance: str
    label: str


def database_name(run_id: str, which: str) -> str:
    """Return the name of a run's scratch database: `rel_<run id>_<which>`, with letters, digits and underscores.

    `which` tells the databases of one run's processes apart.
    """
    plain = "".join(c if c.isalnum() and c.isascii() else "_" for c in run_id.casefold())
    return f"rel_{plain[:50]}_{which}"


def server_of(url: str, environ: Mapping[str, str], pgpass: Path) -> Server:
    """Read `--release-database`; a password of the environment goes into a new private file `pgpass`.

    Raises:
        ReleaseError: no such address, a password in it, or there is no psql.
    """
    parts = urlsplit(url)
    where = "--release-database"
    if parts.password:
        raise ReleaseError(
            f"{where}: no password in the address, please; put it into PGPASSWORD or PGPASSFILE"
        )
    if parts.scheme not in {"postgresql", "postgres"} or not parts.username:
        raise ReleaseError(f"{where} {url!r}: {URL_FORM} is expected")
    settings = dict(parse_qsl(parts.query))
    host = settings.pop("host", None) or unquote(parts.hostname or "")
    unknown = sorted(set(settings) - set(URL_SETTINGS))
    if unknown or not host:
        fault = f"{', '.join(unknown)} is not known" if unknown else "the host is missing"
        raise ReleaseError(f"{where} {url!r}: {fault}; {URL_FORM} is expected")
    try:
        port = parts.port or 5432
    except ValueError as error:
        raise ReleaseError(f"{where} {url!r}: {error}") from error
    user = unquote(parts.username)
    programs = None if shutil.which("psql") else embedded_programs()
    libpq = {URL_SETTINGS[key]: value for key, value in settings.items()}
    connection = Connection(host, port, user, _password_file(user, environ, pgpass), programs, libpq)
    return Server(connection, unquote(parts.path.strip("/")) or "postgres", f"PostgreSQL at {host}:{port}")


def _password_file(user: str, environ: Mapping[str, str], pgpass: Path) -> Path | None:
    if "PGPASSWORD" in environ:
        pgpass.unlink(missing_ok=True)
        write_pgpass(pgpass, {user: environ["PGPASSWORD"]})
        return pgpass
    given = Path(environ.get("PGPASSFILE") or Path.home() / ".pgpass")
    return given.absolute() if given.is_file() else None
