"""The command `ovirt-release lab`, also `python -m pytest_ovirt_release.lab`: the lab alone, for any client."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from pytest_ovirt_release.lab.faults import TABLE

PATH = click.Path(path_type=Path)


# As of `ovirt-release`, also when it is started by itself.
@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--folder", type=PATH, metavar="DIR", help="Where target.toml and all else goes; default: a scratch one."
)
@click.option(
    "--speed", type=float, default=20, show_default=True, help="How many times faster than life it waits."
)
@click.option("--seed", type=int, metavar="N", help="Labs of one seed give the same ids; default: by chance.")
@click.option("--fault", "faults", multiple=True, metavar="NAME", help="Break one thing; may be repeated.")
@click.option("--page", type=PATH, metavar="FILE", help="The release page it plays; default: ovirt-3.0.")
@click.option(
    "--network",
    default="127.0.0",
    show_default=True,
    metavar="A.B.C",
    help="What the nodes' addresses begin with.",
)
@click.option(
    "--user",
    default="admin",
    show_default=True,
    metavar="NAME",
    help="The engine's administrator, NAME@internal.",
)
@click.option("--parent", type=click.IntRange(min=1), metavar="PID", help="End when this process ends.")
@click.option("--list-faults", is_flag=True, help="Print the faults and what each must disprove.")
@click.option("--json", "as_json", is_flag=True, help="Print the list of faults as JSON.")
def lab(  # noqa: PLR0913 - one parameter for each option
    *,
    folder: Path | None,
    speed: float,
    seed: int | None,
    faults: tuple[str, ...],
    page: Path | None,
    parent: int | None,
    network: str,
    user: str,
    list_faults: bool,
    as_json: bool,
) -> None:
    """Start the lab: a small oVirt with engine, nodes and download site, on this machine only.

    Prints `ready DIR/target.toml` when everything answers, and ends with Ctrl-C.

    Example: ovirt-release lab --folder mylab --fault expired-signing-key
    """
    if as_json and not list_faults:
        raise click.UsageError("--json is for the list of faults; add --list-faults")
    if list_faults and as_json:
        click.echo(json.dumps([asdict(fault) for fault in TABLE], indent=2))
        return
    if list_faults:
        widest = max(len(fault.name) for fault in TABLE)
        for fault in TABLE:
            click.echo(f"{fault.name:<{widest}}  {fault.breaks}; disproves {', '.join(fault.disproves)}")
        return
    # Here, because the other commands of `ovirt-release` must not wait for what the lab reads pages with.
    from pytest_ovirt_release.lab.main import Options, main  # noqa: PLC0415 - see above

    sys.exit(main(Options(folder, speed, seed, faults, page, parent, network, user)))


if __name__ == "__main__":
    lab(prog_name="python -m pytest_ovirt_release.lab")
