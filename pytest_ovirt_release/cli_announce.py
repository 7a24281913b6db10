"""The command of `ovirt-release` that drafts the announcement: announce."""

# ruff: noqa: PLC0415 - imports inside commands: `ovirt-release version` must not wait for pydantic
from __future__ import annotations

from pathlib import Path

import click

from pytest_ovirt_release.cli_paths import GIVEN

FILE = click.Path(path_type=Path)


@click.command()
@click.argument("folder", type=GIVEN, metavar="FOLDER")
@click.option("--mail", "as_mail", is_flag=True, help="Plain text for a mail instead of Markdown.")
@click.option("--out", type=FILE, metavar="FILE", help="The file to write; default: print it.")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def announce(*, folder: Path, as_mail: bool, out: Path | None, force: bool) -> None:
    """Draft the announcement of a release from its verdict.

    FOLDER holds verdict.json: of a merge, or of a run. The draft has the verdict, what was proven and what was not,
    waivers, known gaps, who signs, and every digest. Of a rehearsal, and of a verdict that lets nobody ship, it says
    at its top that it must not be sent. Nothing is judged anew.

    Example: ovirt-release announce reports/merged --mail --out announcement.txt
    """
    from pytest_ovirt_release.release.writing import write_atomically
    from pytest_ovirt_release.report import mail, markdown
    from pytest_ovirt_release.verdict.serial import read_verdict

    verdict = read_verdict(folder)[1]
    draft = mail.render(verdict) if as_mail else markdown.render(verdict)
    if out is None:
        click.echo(draft, nl=False)
        return
    write_atomically(out, draft, replace=force)
    click.echo(f"{out}: a draft on the verdict {verdict.verdict}, to be read before it is sent")


COMMANDS = (announce,)
