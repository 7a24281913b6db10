"""The commands of `ovirt-release` about attestations: attest, verify."""

# ruff: noqa: PLC0415 - imports inside commands: `ovirt-release version` must not wait for pydantic
from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_ovirt_release.cli_paths import GIVEN, nearest
from pytest_ovirt_release.errors import ReleaseError

if TYPE_CHECKING:
    from pytest_ovirt_release.verdict.attestation import Verified

FILE = click.Path(path_type=Path)
BAD = 13
"""Exit code of `verify` for everything that does not fit."""


@click.command()
@click.argument("folder", type=GIVEN, metavar="FOLDER")
@click.option("--key", required=True, metavar="FINGERPRINT", help="The signing key's full fingerprint.")
@click.option("--gnupg-home", type=GIVEN, metavar="DIR", help="gpg's home; default: gpg's own.")
@click.option(
    "--out", type=FILE, metavar="FILE", help="The envelope to write; default: FOLDER/attestation.dsse.json."
)
def attest(*, folder: Path, key: str, gnupg_home: Path | None, out: Path | None) -> None:
    """Sign the verdict in a folder: of a merge, or of a run.

    Writes one in-toto statement about the candidate's files in a DSSE envelope: the verdict, whatever it is, and the
    digests of verdict.json, its runs, page, candidate, waivers and decision.json if there is one. Refused when the
    verdict is not what the runs beside it give, and when the key is revoked, expired or disabled.

    Example: ovirt-release attest reports/merged --key 7A1C5E0D3B9F4826A1D04C7FBE2390D85C6E41F2
    """
    from pytest_ovirt_release.release.writing import write_atomically
    from pytest_ovirt_release.verdict.attestation import ATTESTATION_FILE
    from pytest_ovirt_release.verdict.attestation import attest as make
    from pytest_ovirt_release.verdict.envelope import read_envelope, statement_in

    path = out or folder / ATTESTATION_FILE
    if path.exists():
        raise ReleaseError(
            f"{path}: an attestation stands there; it is never rewritten. Move it away, or name another file by --out"
        )
    made = make(folder, key, gnupg_home)
    write_atomically(path, made)
    statement = statement_in(read_envelope(made.encode()))
    click.echo(f"{path}: {len(statement.subject)} file(s) attested")
    click.echo(_plain(statement.predicate.line()))


@click.command()
@click.argument("envelope", type=GIVEN, metavar="ENVELOPE|FOLDER")
@click.argument("files", type=GIVEN, nargs=-1, metavar="[FILE]...")
@click.option(
    "--fingerprint", required=True, metavar="FPR", help="Full fingerprint of the primary key that is trusted."
)
@click.option(
    "--key-file",
    type=GIVEN,
    required=True,
    metavar="FILE",
    help="That public key, as gpg exports it; no other is used.",
)
def verify(*, envelope: Path, files: tuple[Path, ...], fingerprint: str, key_file: Path) -> None:
    """Check a signed verdict, offline.

    Of a FOLDER the attestation.dsse.json is checked, and verdict.json has to be beside it. Each FILE of the release
    has to be among the files attested. Ends with 13 when anything does not fit, with 2 when nothing could be checked,
    else with the verdict's own exit code (0 GO, 1 NO-GO, 10 INCOMPLETE, 11 GO-CONDITIONAL, 12 INVALID), or with 1
    where the meeting decided no-go.

    Example: ovirt-release verify reports/merged vdsm-4.50.7.tar.gz --fingerprint "7A1C 5E0D …" --key-file ann.asc
    """
    from pytest_ovirt_release.verdict.attestation import AttestationBad
    from pytest_ovirt_release.verdict.attestation import verify as check

    try:
        verified = check(envelope, files, fingerprint=fingerprint, key_file=key_file)
    except AttestationBad as error:
        near = nearest(click.get_current_context(), str(error))
        click.echo(f"ovirt-release: the attestation does not fit: {error}{near}", err=True)
        sys.exit(BAD)
    for line in _lines(verified):
        click.echo(_plain(line))
    sys.exit(verified.statement.predicate.exit())


def _lines(verified: Verified) -> list[str]:
    key, part, statement = verified.key, verified.part, verified.statement
    by = "" if part.fingerprint == key.fingerprint else f", by its subkey {part.fingerprint}"
    moment = f"{statement.predicate.time_verified:%Y-%m-%d %H:%M} UTC"
    known = [f"{path} is {name}" for path, name in verified.files]
    return [
        f"signed by {key.uid}, key {key.fingerprint}{by}, {moment}",
        f"{len(statement.subject)} subject(s); {len(known)} held against files here{''.join(f'; {k}' for k in known)}",
        f"beside it and as attested: {', '.join(verified.beside) or 'nothing'}",
        *verified.remarks,
        statement.predicate.line(),
    ]


def _plain(text: str) -> str:
    """Return a text without what could move a terminal's cursor."""
    return "".join(c if c.isprintable() else "?" for c in text)


COMMANDS = (attest, verify)
