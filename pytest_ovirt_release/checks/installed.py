"""What stands on an installed engine machine, only ever read over SSH: package versions, schema, certificates.

For targets on which the release's scripts may not run: there the setup tool has run them already.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pytest_ovirt_release.checks.certificate_files import PairFacts, verify_pair
from pytest_ovirt_release.checks.schema import IDENTIFIER, Schema, Step
from pytest_ovirt_release.errors import CheckFailed, ReleaseError, Unproven

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pytest_ovirt_release.checks.node import Remote
    from pytest_ovirt_release.release.candidate import Candidate
    from pytest_ovirt_release.release.page import Page
    from pytest_ovirt_release.release.page_scripts import Live

NOT_FOUND = 127
MANAGERS = {
    "rpm": ("rpm", "-q", "--qf", r"%{NAME} %{EPOCHNUM}:%{VERSION}-%{RELEASE}\n", "--"),
    "deb": ("dpkg-query", "-W", "--showformat", r"${Package} ${Version}\n", "--"),
}
READ_ONLY = "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"
MARK = "schema "
"""Begins the one line that is the answer: a wrapper of psql may say more, and may hide psql's exit status."""
QUIET = ("-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1")


def check_versions(
    machine: Remote, page: Page, candidate: Candidate, packages: Sequence[str], deadline: float
) -> dict[str, str]:
    """Return the installed version of each package; all must be what the candidate names for one distribution.

    Raises:
        CheckFailed: `package-not-installed`, `installed-other-version`.
        Unproven: there is neither rpm nor dpkg, or the candidate names none of the packages.
    """
    kind, installed = _installed(machine, packages, deadline)
    offers = [_named(candidate, d.name, packages) for d in page.distributions if d.kind == kind]
    offers = [offer for offer in offers if offer]
    if not offers:
        raise Unproven(f"the candidate names no version of {', '.join(packages)} in any {kind} distribution")
    if not any(_same(installed, offer) for offer in offers):
        wanted = " or ".join(", ".join(f"{n} {v}" for n, v in sorted(offer.items())) for offer in offers)
        found = ", ".join(f"{n} {v}" for n, v in sorted(installed.items()))
        raise CheckFailed("installed-other-version", f"installed: {found}; the candidate says {wanted}")
    return installed


def read_live_schema(machine: Remote, live: Live, table: str, deadline: float) -> Schema:
    """Return the version table of the engine's own database, read in a session that cannot write.

    Raises:
        CheckFailed: `version-table-missing`.
        Unproven: the page gives no psql, or it gave no answer.
    """
    if not live.psql:
        raise Unproven("the page names no psql of the engine's machine (scripts.live.psql)")
    if not IDENTIFIER.fullmatch(table):
        raise ReleaseError(f"scripts.database.version_table {table!r}: a lower-case table name is expected")
    columns = "version, script, checksum, state, current"
    rows = f"SELECT coalesce(jsonb_agg(jsonb_build_array({columns}) ORDER BY version, script), '[]') FROM {table}"  # noqa: S608 - checked against IDENTIFIER
    sql = f"SELECT '{MARK}' || jsonb_build_object('read_only', current_setting('transaction_read_only'), 'rows', ({rows}))::text"
    result = machine.run([*live.psql, *QUIET, "-c", READ_ONLY, "-c", sql], deadline)
    said = f"{result.stdout}\n{result.stderr}"
    if re.search(r'relation "[^"]*" does not exist', said):
        raise CheckFailed("version-table-missing", f"the engine's database has no version table {table}")
    line = next((line for line in result.stdout.splitlines() if line.startswith(MARK)), None)
    if line is None:
        raise Unproven(f"the engine's machine did not answer for its database: {result}")
    return _schema(line.removeprefix(MARK))


def installed_upgrades(machine: Remote, live: Live, deadline: float) -> dict[str, str]:
    """Return name → md5 of the installed upgrade scripts; empty when the page names no folder of them."""
    if live.upgrades is None:
        return {}
    command = ["find", live.upgrades, "-maxdepth", "1", "-type", "f"]
    named = ["(", "-name", "*.sql", "-o", "-name", "*.sh", ")"]
    result = machine.run([*command, *named, "-exec", "md5sum", "--", "{}", "+"], deadline)
    lines = re.findall(r"^([0-9a-f]{32}) [ *]\S*?([^/\s]+)$", result.stdout, re.MULTILINE)
    if not result.ok or not lines:
        raise CheckFailed("no-upgrade-scripts", f"no upgrade scripts in {live.upgrades}: {result}")
    return {name: md5 for md5, name in lines}


def live_pair(machine: Remote, live: Live, host: str, folder: Path, deadline: float) -> PairFacts:
    """Return the facts of the CA and server certificate that the setup made; raises as `verify_pair` does."""
    if live.ca is None or live.certificate is None:
        raise Unproven(
            "the page names no certificates of the engine's machine (scripts.live.ca, certificate)"
        )
    places = {"ca.pem": live.ca, "server.cer": live.certificate}
    for name, place in places.items():
        result = machine.run(["cat", "--", place], deadline)
        if not result.ok:
            code = "ca-missing" if place == live.ca else "certificate-missing"
            raise CheckFailed(code, f"{place} cannot be read on the engine's machine: {result}")
        (folder / name).write_text(result.stdout, encoding="utf-8")
    return verify_pair(folder / "ca.pem", folder / "server.cer", host)


def _installed(machine: Remote, packages: Sequence[str], deadline: float) -> tuple[str, dict[str, str]]:
    for kind, command in MANAGERS.items():
        result = machine.run([*command, *packages], deadline)
        if result.status == NOT_FOUND:
            continue
        pairs = [line.split(" ") for line in result.stdout.splitlines()]
        found = {pair[0]: pair[1] for pair in pairs if len(pair) == 2}  # noqa: PLR2004 - name and version
        missing = [name for name in packages if name not in found]
        if missing:
            raise CheckFailed(
                "package-not-installed",
                f"not installed on the engine's machine: {', '.join(missing)} ({result})",
            )
        return kind, {name: found[name] for name in packages}
    raise Unproven("the engine's machine has neither rpm nor dpkg-query, so its packages cannot be asked for")


def _named(candidate: Candidate, distribution: str, packages: Sequence[str]) -> dict[str, str]:
    """Return what the candidate says of these packages in one distribution; empty unless it names all of them."""
    named = {p.name: p.version for p in candidate.packages if p.distribution == distribution}
    return {name: named[name] for name in packages} if all(name in named for name in packages) else {}


def _same(installed: dict[str, str], offer: dict[str, str]) -> bool:
    """A candidate may write an rpm's epoch or leave it out."""
    return all(offer[name] in _forms(version) for name, version in installed.items())


def _forms(version: str) -> Iterator[str]:
    yield version
    if ":" in version:
        yield version.partition(":")[2]


def _schema(text: str) -> Schema:
    try:
        found: dict[str, Any] = json.loads(text)
        if found["read_only"] != "on":
            raise ReleaseError("the session on the engine's machine may write: nothing more is asked there")
        steps = tuple(
            Step(str(v), str(s), str(c), str(state), current is True)
            for v, s, c, state, current in found["rows"]
        )
    except (ValueError, TypeError, KeyError) as error:
        raise Unproven(f"the engine's machine gave no readable answer for its database: {error!r}") from error
    return Schema(steps=steps, tables=(), answer=())
