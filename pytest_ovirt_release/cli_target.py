"""The commands of `ovirt-release` about target files: new, check."""

# ruff: noqa: PLC0415 - imports inside commands: `ovirt-release version` must not wait for the SDK
from __future__ import annotations

import json
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_ovirt_release.cli_paths import GIVEN
from pytest_ovirt_release.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_ovirt_release.checks.preflight import Finding
    from pytest_ovirt_release.checks.preflight.probe import Asked
    from pytest_ovirt_release.target.model import Target

FILE = click.Path(path_type=Path)
PAGES = Path("acceptance/releases")
NARROWEST, WIDEST = 60, 160
"""Columns of a table."""


@click.group()
def target() -> None:
    """Write and try target files: which engine, nodes and storage a run is pointed at.

    Example: ovirt-release target check target.toml
    """


@target.command()
@click.argument("path", type=FILE, metavar="[FILE]", default="target.toml")
def new(*, path: Path) -> None:
    """Write a commented target file by asking.

    The engine's CA and the machines' host keys are fetched and shown, to be compared and pinned. Passwords are not
    asked for: the file only says where they are.

    Example: ovirt-release target new target.toml
    """
    from pytest_ovirt_release.target_questions import ask_target

    if path.exists():
        raise ReleaseError(f"{path}: is there already; choose another name, or move it away")
    ask_target(path)
    click.echo(f"{path}: written. Next: ovirt-release target check {path}")


@target.command()
@click.argument("path", type=GIVEN, metavar="[FILE]", default="target.toml")
@click.option("--pages", type=GIVEN, default=PAGES, show_default=True, help="Folder of the release pages.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(*, path: Path, pages: Path, as_json: bool) -> None:
    """Try every connection of a target file, read-only and all at once, and say what to do.

    Takes 8 seconds at most. Exit code 0: everything works, or could not be seen from here; 1: something does not.

    Example: ovirt-release target check target.toml
    """
    from pytest_ovirt_release.checks.preflight import look
    from pytest_ovirt_release.target.loading import load_target
    from pytest_ovirt_release.target.ready import make_ready

    loaded = load_target(path)
    make_ready(loaded)
    findings = look(_asked(loaded, pages))
    wrong = sum(1 for f in findings if f.state == "wrong")
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
        sys.exit(1 if wrong else 0)
    width = min(max(shutil.get_terminal_size().columns, NARROWEST), WIDEST)
    for line in table(findings, width):
        click.echo(line)
    click.echo(
        f"{path}: {wrong} of {len(findings)} do not work"
        if wrong
        else f"{path}: nothing stands against a run"
    )
    sys.exit(1 if wrong else 0)


def _asked(loaded: Target, pages: Path) -> Asked:
    """Return what to look at; candidate and page add versions and addresses where they can be read."""
    from pytest_ovirt_release.checks.preflight.probe import Asked
    from pytest_ovirt_release.release import loading
    from pytest_ovirt_release.release.engines import versions_wanted

    if loaded.candidate is None:
        return Asked(loaded, lambda *_: None)
    candidate = loading.load_candidate(loaded.candidate)
    page = loading.load_page(loading.find_page(pages, candidate.page))
    if loaded.page_overlay is not None:
        page = loading.apply_overlay(page, loading.load_overlay(loaded.page_overlay), loaded.page_overlay)
    page = loading.with_mirrors(page, loaded.mirrors, loaded.candidate)
    places = tuple((f"release files: {name}", url) for name, url in page.places.items())
    return Asked(loaded, lambda *_: None, versions=versions_wanted(page, candidate), places=places)


def table(findings: Sequence[Finding], width: int) -> Iterator[str]:
    """Yield the lines of a table: what, how it stands, and the sentence, wrapped below itself."""
    from pytest_ovirt_release.report.text import visible

    first = max((len(f.what) for f in findings), default=0)
    second = max(len(f.state) for f in findings) if findings else 0
    for finding in findings:
        said = visible(finding.sentence + (f". To do: {finding.todo}" if finding.todo else ""))
        start = f"{finding.what:<{first}}  {finding.state:<{second}}  "
        for line in _wrapped(said, width - len(start)):
            yield start + line
            start = " " * len(start)


def _wrapped(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, max(width, 20)) or [""]
