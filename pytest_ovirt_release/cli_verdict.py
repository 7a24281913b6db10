"""The commands of `ovirt-release` that judge: verdict, bundle, merge, diff, decide.

They work where neither the engine's SDK nor paramiko is installed.
"""

# ruff: noqa: PLC0415 - imports inside commands: `ovirt-release version` must not wait for pydantic
from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from pytest_ovirt_release.cli_paths import GIVEN
from pytest_ovirt_release.cli_values import moment, plain_text, vote
from pytest_ovirt_release.errors import ReleaseError

if TYPE_CHECKING:
    from pytest_ovirt_release.verdict.merge import Merged
    from pytest_ovirt_release.verdict.model import Verdict

FILE = click.Path(path_type=Path)
WIDEST = 120

AS_OF = click.option(
    "--as-of", metavar="MOMENT", help="Judge as of this moment (ISO 8601; without a zone: UTC); default: now."
)
WAIVERS = click.option("--waivers", type=GIVEN, metavar="FILE", help="The waiver file.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command()
@click.argument("runs", type=GIVEN, nargs=-1, required=True, metavar="RUN...")
@AS_OF
@WAIVERS
@AS_JSON
def verdict(*, runs: tuple[Path, ...], as_of: str | None, waivers: Path | None, as_json: bool) -> None:
    """Decide again from what runs recorded.

    RUN is a run's folder. Ends with the verdict's exit code: 0 GO, 1 NO-GO, 10 INCOMPLETE, 11 GO-CONDITIONAL,
    12 INVALID. Waivers come from --waivers; without it from the copy in the run's folder, where just one is named.
    Several runs are judged together as by `merge`, which can also write the result.

    Example: ovirt-release verdict reports/latest
    """
    from pytest_ovirt_release.verdict.merge import Chosen
    from pytest_ovirt_release.verdict.merge import merge as join
    from pytest_ovirt_release.verdict.recompute import recompute

    if len(runs) == 1:
        decided = recompute(runs[0], moment(as_of), waivers)
    else:
        decided = join(runs, Chosen(), waivers, moment(as_of)).verdict
    _show(decided, as_json=as_json)
    sys.exit(decided.exit_code)


@click.command()
@click.argument("run", type=GIVEN, metavar="RUN")
@click.option("--out", type=FILE, metavar="FILE", help="The archive to write; default: RUN.bundle.tar.gz.")
@AS_JSON
def bundle(*, run: Path, out: Path | None, as_json: bool) -> None:
    """Pack what a run left into one archive for the release manager.

    Holds page, candidate, journals and evidence, each with its digest; passwords were never in them, and the target
    file with its addresses stays here. Prints what is in it.

    Example: ovirt-release bundle reports/latest --out ann.bundle.tar.gz
    """
    from pytest_ovirt_release.record.run_folder import not_running
    from pytest_ovirt_release.release.writing import write_atomically
    from pytest_ovirt_release.verdict.bundle import SUFFIX, pack
    from pytest_ovirt_release.verdict.contents import read_folder
    from pytest_ovirt_release.verdict.journals import parse_run

    folder = run.resolve()
    with not_running(folder):
        contents = read_folder(folder)
        parsed = parse_run(contents)
        if parsed.damaged:
            said = [f"  {text}" for text in parsed.damaged]
            raise ReleaseError("\n".join([f"{run} is damaged, and no merge would take it:", *said]))
        packed = pack(contents, folder)
    path = out or Path(f"{folder.name}{SUFFIX}")
    write_atomically(path, packed)
    if as_json:
        files = {name: fact.model_dump() for name, fact in contents.facts().items()}
        click.echo(json.dumps({"file": str(path), "run": parsed.id, "files": files}, indent=2))
        return
    for name, fact in contents.facts().items():
        click.echo(f"{fact.sha256}  {fact.size:>9}  {name}")
    click.echo(f"{path}: run {parsed.id}, {len(contents.facts())} files, {len(packed)} bytes")


@click.command()
@click.argument("runs", type=GIVEN, nargs=-1, required=True, metavar="RUN...")
@click.option("--candidate", type=GIVEN, metavar="FILE", help="Judge the runs of this candidate only.")
@click.option("--page", type=GIVEN, metavar="FILE", help="Judge the runs by this release page only.")
@WAIVERS
@AS_OF
@click.option(
    "--previous",
    type=GIVEN,
    metavar="FILE",
    help="The verdict.json before, or its folder: the page says what changed.",
)
@click.option("--out", type=FILE, metavar="FOLDER", help="Write reports and bundles to this new folder.")
@AS_JSON
def merge(  # noqa: PLR0913 - one parameter for each option
    *,
    runs: tuple[Path, ...],
    candidate: Path | None,
    page: Path | None,
    waivers: Path | None,
    as_of: str | None,
    previous: Path | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Join the runs of several testers into one verdict.

    RUN is a run's folder, a bundle of one, or the folder of an earlier merge. Runs of another candidate or page, and
    rehearsals beside live runs, are refused and listed; a run that was altered makes the verdict INVALID until it is
    left out. Ends with the verdict's exit code.

    Example: ovirt-release merge ann.bundle.tar.gz bob.bundle.tar.gz --waivers waivers.toml --out reports/merged
    """
    from pytest_ovirt_release.release.loading import sha256_of
    from pytest_ovirt_release.verdict.merge import Chosen
    from pytest_ovirt_release.verdict.merge import merge as join
    from pytest_ovirt_release.verdict.serial import read_verdict

    if out is not None and out.exists():
        raise ReleaseError(f"{out}: is there already; choose another name for --out")
    if previous is not None and out is None:
        raise ReleaseError("--previous is for the page that --out writes; without it, use ovirt-release diff")
    old = read_verdict(previous)[1] if previous is not None else None
    chosen = Chosen(sha256_of(candidate) if candidate else None, sha256_of(page) if page else None)
    merged = join(runs, chosen, waivers, moment(as_of))
    if out is not None:
        _write(merged, out, old)
    _show(merged.verdict, as_json=as_json, folder=out)
    sys.exit(merged.verdict.exit_code)


def _write(merged: Merged, out: Path, old: Verdict | None) -> None:
    """Write a merge's folder, whole or not at all: its reports, a bundle of every run that counted, the waivers."""
    from pytest_ovirt_release.report.before import compared
    from pytest_ovirt_release.report.files import write_all
    from pytest_ovirt_release.verdict.bundle import SUFFIX, pack
    from pytest_ovirt_release.verdict.contents import WAIVERS
    from pytest_ovirt_release.verdict.merge import BUNDLES

    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as scratch:
            made = Path(scratch) / "merge"
            (made / BUNDLES).mkdir(parents=True)
            for given in merged.counted:
                path = made / BUNDLES / f"{given.run.id}-{given.run.digest[:12]}{SUFFIX}"
                if given.path.is_dir():
                    path.write_bytes(pack(given.contents, given.path))
                else:
                    shutil.copyfile(given.path, path)
            if merged.waivers is not None:
                (made / WAIVERS).write_bytes(merged.waivers)
            write_all(merged.verdict, made, compared(old, merged.verdict) if old else None)
            made.rename(out)
    except OSError as error:
        raise ReleaseError(f"{out}: cannot be written: {error.strerror or error}") from error


@click.command()
@click.argument("old", type=GIVEN, metavar="OLD")
@click.argument("new", type=GIVEN, metavar="NEW")
@AS_JSON
def diff(*, old: Path, new: Path, as_json: bool) -> None:
    """Say what changed between two verdicts.

    OLD and NEW are verdict.json files, or folders that hold one: of two candidates, or of two days. Exit code 0:
    nothing is worse, 1: something regressed, became unproven, or needs a waiver now.

    Example: ovirt-release diff reports/rc1 reports/rc2
    """
    from pytest_ovirt_release.report import console
    from pytest_ovirt_release.verdict.diff import diff as compare
    from pytest_ovirt_release.verdict.serial import read_verdict

    found = compare(read_verdict(old)[1], read_verdict(new)[1])
    if as_json:
        click.echo(found.model_dump_json(by_alias=True, indent=2))
    else:
        for line in console.difference_lines(found):
            click.echo(line)
    sys.exit(1 if found.is_worse else 0)


@click.command()
@click.argument("folder", type=GIVEN, metavar="FOLDER")
@click.argument("outcome", type=click.Choice(["go", "no-go"]))
@click.option(
    "--vote", "votes", multiple=True, metavar="NAME:ROLE:VOTE", help="A vote (go, no-go, abstain); repeat it."
)
@click.option("--minutes", required=True, metavar="URL", help="Where the meeting's minutes are.")
@click.option(
    "--reason", default="", metavar="TEXT", help="Why; a no-go needs it, and a go on GO-CONDITIONAL."
)
def decide(
    *, folder: Path, outcome: Literal["go", "no-go"], votes: tuple[str, ...], minutes: str, reason: str
) -> None:
    """Write down what the go/no-go meeting decided.

    FOLDER holds the verdict it was shown: of a merge, or of a run. The record, decision.json, names that verdict by
    its SHA-256. A go is refused on NO-GO, INCOMPLETE, INVALID, on any rehearsal, and when the verdict is not what
    its runs give, or would not be given again today. A no-go is always possible.

    Example: ovirt-release decide reports/merged go --vote "Ann Example:development:go" --minutes https://example.org/1
    """
    from pytest_ovirt_release.release.writing import write_atomically
    from pytest_ovirt_release.verdict.decision import DECISION_FILE, record

    path = folder / DECISION_FILE
    if path.exists():
        raise ReleaseError(
            f"{path}: a decision stands there; it is never rewritten. Move it away to decide anew"
        )
    given = [vote(plain_text(text, "--vote")) for text in votes]
    minutes, reason = plain_text(minutes, "--minutes"), plain_text(reason, "--reason")
    if not minutes:
        raise ReleaseError("--minutes: name the link of the minutes")
    now = datetime.now(UTC).replace(microsecond=0)
    made = record(folder, outcome, votes=given, minutes=minutes, reason=reason, now=now)
    write_atomically(path, made.model_dump_json(by_alias=True, indent=2) + "\n")
    word = made.based_on.facts.verdict if made.based_on.facts else "that cannot be read"
    click.echo(f"{path}: {outcome}, based on the verdict {word}, SHA-256 {made.based_on.sha256}")


def _show(decided: Verdict, *, as_json: bool, folder: Path | None = None) -> None:
    from pytest_ovirt_release.report import console, github_job
    from pytest_ovirt_release.verdict.serial import verdict_json

    if as_json:
        click.echo(verdict_json(decided), nl=False)
        return
    github_job.tell(decided, os.environ, click.echo)
    width = min(shutil.get_terminal_size().columns, WIDEST)
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    plain = not encoding.lower().startswith("utf")
    for line in console.lines(decided, width, folder=str(folder) if folder else None, ascii_only=plain):
        click.echo(line.text)


COMMANDS = (verdict, bundle, merge, diff, decide)
