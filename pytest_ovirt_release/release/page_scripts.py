"""What a page says of the release's own scripts, and of what they left behind on a machine that is installed."""

from __future__ import annotations

from pydantic import PositiveInt  # noqa: TC002 - pydantic reads the annotations

from pytest_ovirt_release.release.model import Slug, Strict, Text


class Script(Strict):
    """A script of the release: in which component's tarball, how it is called, what it must leave behind.

    `command` words may hold {source} (unpacked tarball), {out} (scratch folder), {host}, and for the
    database {db_host} {db_port} {db_user} {db_name}; the password is in PGPASSFILE. `ca` and `certificate` are
    paths inside {out}; `last_script_dir` is a path inside {source}; `version_query` gives one row, the version.
    `extensions` of PostgreSQL must be in the database before the script runs.
    """

    component: Slug
    command: tuple[str, ...]
    deadline: PositiveInt = 300
    ca: str | None = None
    certificate: str | None = None
    version_table: str | None = None
    version_query: str | None = None
    last_script_dir: str | None = None
    extensions: tuple[Text, ...] = ()


class Setup(Strict):
    """The easy installation: commands over SSH on the engine machine and the service they are about.

    `tool` must end well and say something; with `tool_says`, say that, however it ends: the engine's own
    `engine-setup --help` ends with 1, and it has no option that ends with 0 and sets nothing up.
    `packages` must be installed there in the very versions that the candidate names.
    """

    tool: tuple[str, ...]
    tool_says: Text | None = None
    service: str
    packages: tuple[Text, ...] = ()


class Live(Strict):
    """Where an installed engine machine keeps what the scripts made; only ever read, over SSH.

    `psql` is a command that is psql, connected as the engine is; `upgrades` the folder of the installed upgrade scripts;
    `ca` and `certificate` are public certificate files.
    """

    psql: tuple[str, ...] = ()
    upgrades: Text | None = None
    ca: Text | None = None
    certificate: Text | None = None


class Scripts(Strict):
    """The release's own scripts, and what they leave behind where they ran."""

    pki: Script | None = None
    database: Script | None = None
    setup: Setup | None = None
    live: Live | None = None
