"""`python -m pytest_ovirt_release.lab`: the lab alone, for a browser, curl, or someone else's client."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pytest_ovirt_release.lab.faults import TABLE
from pytest_ovirt_release.lab.main import main


@click.command(name="lab")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where target.toml and everything else goes (default: a scratch folder, removed at the end).",
)
@click.option(
    "--speed", type=float, default=20.0, show_default=True, help="How much faster than a real engine to wait."
)
@click.option(
    "--fault", "faults", multiple=True, metavar="NAME", help="Break this; may be given several times."
)
@click.option(
    "--page",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The release page to play (default: ovirt-3.0 of this checkout).",
)
@click.option("--parent", type=click.IntRange(min=1), metavar="PID", help="End when this process is gone.")
@click.option("--list-faults", is_flag=True, help="Print every fault and what it disproves, and end.")
def command(  # noqa: PLR0913 - one parameter for each option
    folder: Path | None,
    speed: float,
    faults: tuple[str, ...],
    page: Path | None,
    parent: int | None,
    *,
    list_faults: bool,
) -> None:
    """Run the embedded lab: engine, nodes and release site on loopback addresses."""
    if list_faults:
        for fault in TABLE:
            click.echo(f"{fault.name}: {fault.breaks}\n    disproves {', '.join(fault.disproves)}")
        return
    sys.exit(main(folder, speed, faults, page, parent))


if __name__ == "__main__":
    command(prog_name="python -m pytest_ovirt_release.lab")
