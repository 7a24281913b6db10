"""The options of `vdsm-tool register`."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

_VDSM_PORT = "54321"
ROOT = "root"


class UsageError(Exception):
    """The command was called wrongly; the text is what it writes to stderr."""


class Help(Exception):  # noqa: N818 - asked for, no mistake
    """Somebody asked how the command is called; the text says it."""


@dataclass(frozen=True)
class Registration:
    """What to ask for: the options of `vdsm-tool register`. `engine_fqdn` may carry a port."""

    engine_fqdn: str
    ssh_port: str
    node_address: str | None = None
    engine_https_port: str | None = None
    node_name: str | None = None
    ssh_user: str = ROOT
    check_fqdn: str | None = None
    fingerprint: str | None = None
    vdsm_port: str = _VDSM_PORT
    vdsm_uuid: str | None = None

    @property
    def checks(self) -> bool:
        """Whether the engine's name and certificate are checked: `true` and numbers but 0 mean yes, like no option."""
        text = (self.check_fqdn or "true").casefold()
        return text == "true" or (text.isdecimal() and int(text) != 0)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.format_usage()}{self.prog}: error: {message}\n")

    def print_help(self, file: object = None) -> None:
        del file
        raise Help(self.format_help())


def parse(arguments: Sequence[str], ssh_port: int) -> Registration:
    """Read the command's options; UsageError for a wrong one, Help when that is asked for."""
    parser = _Parser(prog="vdsm-tool", description="Tool to register node to Engine")
    parser.add_argument("--node-address")
    parser.add_argument("--node-name")
    parser.add_argument("--engine-fqdn", required=True)
    parser.add_argument("--engine-https-port")
    parser.add_argument("--ssh-user", default=ROOT)
    parser.add_argument("--ssh-port", default=str(ssh_port))
    parser.add_argument("--check-fqdn")
    parser.add_argument("--fingerprint")
    parser.add_argument("--vdsm-port", default=_VDSM_PORT)
    parser.add_argument("--vdsm-uuid")
    return Registration(**vars(parser.parse_args(list(arguments))))
