"""The command `ovirt-release`: everything around a run that pytest does not do itself.

Heavy modules are imported inside the commands: `page`, `verdict` and `version` work where neither the
engine's SDK nor paramiko is installed.
"""

# ruff: noqa: PLC0415 - imports inside commands, see above
from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from pytest_ovirt_release import (
    __version__,
    cli_announce,
    cli_attest,
    cli_examples,
    cli_paths,
    cli_target,
    cli_verdict,
)
from pytest_ovirt_release.cli_paths import GIVEN
from pytest_ovirt_release.cli_values import page_named, versions_given
from pytest_ovirt_release.errors import ReleaseError, Unproven
from pytest_ovirt_release.lab.__main__ import lab

if TYPE_CHECKING:
    from pytest_ovirt_release.release.resolving import World

USAGE = 2
"""Exit code of a mistake that a person can mend, and of an engine or site that does not answer."""

FILE = click.Path(path_type=Path)
PAGES = Path("acceptance/releases")


class _Group(click.Group):
    """A group of commands in which trouble is one message on stderr and exit code 2, never a traceback."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click declares it
        try:
            return super().invoke(ctx)
        except (ReleaseError, Unproven) as error:
            _refuse(f"{error}{cli_paths.nearest(ctx, str(error))}")
        except OSError as error:  # of a file or stream that nobody wrapped, such as a full disk behind stdout
            _refuse(f"{error.filename or 'output'}: {error.strerror or error}")
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("pytest_ovirt_release"):
                raise  # one of our own modules is missing: that is a bug, and a bug shows its traceback
            _refuse(f"{error.name} is not installed; pip install 'pytest-ovirt-release[live]' brings it")


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Judge an oVirt release: pages, candidates, the lab, verdicts.

    The tests themselves are run by pytest: pytest -m must --release-tester "Your Name" --release-allow-changes

    Example: ovirt-release verdict reports/latest
    """


@main.command()
def version() -> None:
    """Print the version.

    Example: ovirt-release version
    """
    click.echo(f"ovirt-release {__version__}")


@main.group()
def page() -> None:
    """Look after release pages.

    Example: ovirt-release page check acceptance/releases/ovirt-3.0.toml --against release-management.md
    """


@page.command("check")
@click.argument("page_file", type=GIVEN, metavar="PAGE.toml")
@click.option("--against", type=GIVEN, required=True, metavar="PAGE.md", help="The wiki page, as Markdown.")
def page_check(page_file: Path, against: Path) -> None:
    """Compare a release page with the wiki page it was read from.

    Says which MUST or SHOULD has no requirement, which line's digest no longer fits and where that line stands
    now, and which requirement has no line. Exit code 0: all fits, 1: something does not.

    Example: ovirt-release page check acceptance/releases/ovirt-3.0.toml --against release-management.md
    """
    from pytest_ovirt_release.release.loading import load_page, read_bounded
    from pytest_ovirt_release.release.page_check import check_page

    done = check_page(load_page(page_file), read_bounded(against))
    for finding in done.findings:
        click.echo(finding)
    if done.findings:
        click.echo(f"{page_file.name} does not fit {against.name}: {len(done.findings)} finding(s)")
    else:
        counted = f"{done.demands} demands, {done.requirements} requirements"
        click.echo(f"{page_file.name} fits {against.name}: {counted}")
    sys.exit(1 if done.findings else 0)


@main.command()
@click.option(
    "--page", "page_name", required=True, metavar="ID|FILE", help="Release page: its id or its file."
)
@click.option(
    "--pages", type=GIVEN, default=PAGES, show_default=True, help="Folder that ids are looked up in."
)
@click.option("--version", "release", required=True, metavar="VERSION", help="Version of the release.")
@click.option("--rc", metavar="RC", help="Which release candidate, such as rc2.")
@click.option(
    "--component",
    "components",
    multiple=True,
    metavar="NAME=VERSION",
    help="A component whose version is another than the release's; may be repeated.",
)
@click.option(
    "--package",
    "packages",
    multiple=True,
    metavar="NAME=VERSION",
    help="A package or image whose version is neither its component's nor the release's; may be repeated.",
)
@click.option(
    "--overlay", type=GIVEN, metavar="FILE", help="A page overlay with other addresses, as a lab writes it."
)
@click.option("--out", type=FILE, required=True, metavar="FILE", help="The candidate file to write.")
@click.option("--force", is_flag=True, help="Replace the candidate file if it is there.")
def candidate(  # noqa: PLR0913 - one parameter for each option
    *,
    page_name: str,
    pages: Path,
    release: str,
    rc: str | None,
    components: tuple[str, ...],
    packages: tuple[str, ...],
    overlay: Path | None,
    out: Path,
    force: bool,
) -> None:
    """Write candidate.toml: exactly what is judged.

    Which commits, files and builds: tags are looked up in the repositories, tarballs and images are downloaded for
    their digests, and the indexes of the distributions say which build of each package there is. A package that is not
    there, or not just once, is left out and told.

    Example: ovirt-release candidate --page ovirt-4.5 --version 4.5.7 --component vdsm=4.50.7 --out candidate.toml
    """
    from pytest_ovirt_release.release import loading
    from pytest_ovirt_release.release.resolving import Wanted, resolve_candidate
    from pytest_ovirt_release.release.writing import to_toml, write_atomically

    if out.exists() and not force:
        # Asked before the work as well as when writing: nobody should wait for downloads to hear this.
        raise ReleaseError(f"{out}: is there already; choose another name, or add --force to replace it")
    judged = page_named(page_name, pages)
    if overlay is not None:
        judged = loading.apply_overlay(judged, loading.load_overlay(overlay), overlay)
    wanted = Wanted(
        release,
        rc,
        versions_given(components, "--component"),
        datetime.now(UTC).replace(microsecond=0),
        versions_given(packages, "--package"),
    )
    made = resolve_candidate(judged, wanted, _world())
    loading.check_candidate(judged, made, out)
    write_atomically(out, to_toml(made), replace=force)
    click.echo(
        f"{out}: {judged.title}, candidate {release}, {len(made.components)} components, "
        f"{len(made.packages)} packages"
    )
    click.echo(f"sha256 {loading.sha256_of(out)}")


main.add_command(lab)
main.add_command(cli_target.target)


@main.command()
@click.argument("run", type=GIVEN, metavar="RUN")
@click.option("--dry-run", is_flag=True, help="Only say what is left.")
def reap(*, run: Path, dry_run: bool) -> None:
    """Remove what a killed run left behind.

    Only what its own ledger names. RUN is a run's folder. Exit code 0: nothing is left, 1: something is.

    Example: ovirt-release reap reports/latest
    """
    from pytest_ovirt_release.checks.reaper import reap as reap_run

    left = reap_run(run, dry_run=dry_run, say=click.echo)
    sys.exit(1 if left else 0)


for judging in (*cli_verdict.COMMANDS, *cli_announce.COMMANDS, *cli_attest.COMMANDS):
    main.add_command(judging)
cli_examples.make_pasteable(main)


def _refuse(message: str) -> NoReturn:
    from pytest_ovirt_release.report.text import visible

    click.echo(f"ovirt-release: {visible(message)}", err=True)
    sys.exit(USAGE)


def _world() -> World:
    from pytest_ovirt_release.checks.download import download
    from pytest_ovirt_release.checks.git import ls_remote_tag
    from pytest_ovirt_release.checks.packages import offered
    from pytest_ovirt_release.release.resolving import World
    from pytest_ovirt_release.report.text import visible

    return World(ls_remote_tag, download, lambda text: click.echo(visible(text), err=True), offered)
