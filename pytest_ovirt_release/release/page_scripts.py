"""The release's own scripts, as the page describes them."""

from __future__ import annotations

from pydantic import PositiveInt  # noqa: TC002 - pydantic needs it at run time

from pytest_ovirt_release.release.model import Slug, Strict


class Script(Strict):
    """A script of the release: in which component's tarball, how it is called, what it must leave behind.

    `command` words may hold {source} (unpacked tarball), {out} (scratch folder), {host}, and for the
    database {db_host} {db_port} {db_user} {db_name}; the password is in PGPASSFILE. `ca` and `certificate` are
    paths inside {out}; `last_script_dir` is a path inside {source}; `version_query` gives one row, the version.
    """

    component: Slug
    command: tuple[str, ...]
    deadline: PositiveInt = 300
    ca: str | None = None
    certificate: str | None = None
    version_table: str | None = None
    version_query: str | None = None
    last_script_dir: str | None = None


class Setup(Strict):
    """The easy installation: commands over SSH on the engine machine and the service they are about."""

    tool: tuple[str, ...]
    service: str


class Scripts(Strict):
    """The release's own scripts."""

    pki: Script | None = None
    database: Script | None = None
    setup: Setup | None = None
