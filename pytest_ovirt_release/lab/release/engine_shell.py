"""What the lab's engine machine answers over SSH: the setup tool, systemctl, and the setup's log."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.release.answer import Answer
from pytest_ovirt_release.lab.release.engine_share import PSQL, EngineShare
from pytest_ovirt_release.target.brand import LAB_BRAND

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    import asyncssh

SERVICE = "ovirt-engine"
LOG_FOLDER = "/var/log/ovirt-engine/setup"
OS_RELEASE = f'NAME="{LAB_BRAND}"\nID=lab\nVERSION_ID="1"\nPRETTY_NAME="engine machine of the {LAB_BRAND}"\n'
UNATTENDED = frozenset({"--accept-defaults", "--config", "--config-append", "--offline"})
NOT_FOUND = 127
INACTIVE = 3

HELP = """Usage: engine-setup [options]

  --log=FILE              where to write what is done
  --config=FILE           answers to the questions
  --config-append=FILE    more of them
  --generate-answer=FILE  where to write the answers that were given
  --offline               do not look for updates
  --accept-defaults       take the default of every question
"""
"""It ends with 1, as the real one's does, which has no --version either."""


@dataclass(frozen=True)
class EngineShell:
    """Answers the few commands that a check may ask; anything else is not found, as in a shell."""

    enabled: bool
    log_name: str
    log_file: Path
    installed: Callable[[], Awaitable[bool]]
    set_up: Callable[[], Awaitable[Answer]]
    share: EngineShare

    async def answer(self, process: asyncssh.SSHServerProcess[str]) -> None:
        """Serve one SSH session."""
        if process.command is None:
            process.stderr.write("this machine gives no interactive shell\n")
            process.exit(1)
            return
        answer = await self.run(process.command)
        process.stdout.write(answer.out)
        process.stderr.write(answer.err)
        process.exit(answer.status)

    async def run(self, command: str) -> Answer:
        """Return what a command line gives."""
        try:
            words = without_timeout(shlex.split(command))
        except ValueError as error:
            return Answer(err=f"bash: syntax error: {error}\n", status=2)
        if not words:
            return Answer()
        program, arguments = words[0], [w for w in words[1:] if w != "--"]
        if program in {"cat", "tail", "ls"}:
            return await self._files(program, arguments)
        programs = {
            "date": self._date,
            "engine-setup": self._setup,
            "systemctl": self._systemctl,
            "rpm": self.share.versions,
            "find": self.share.upgrades,
            PSQL: self._psql,
        }
        if program in programs:
            return await programs[program](arguments)
        return Answer(err=f"bash: {program}: command not found\n", status=NOT_FOUND)

    async def _psql(self, arguments: Sequence[str]) -> Answer:
        await self.installed()
        return await self.share.psql(arguments)

    async def _date(self, arguments: Sequence[str]) -> Answer:
        if list(arguments) == ["+%s"]:
            return Answer(f"{int(time.time())}\n")
        return Answer(err="date: this machine tells its time in seconds only: date +%s\n", status=1)

    async def _setup(self, arguments: Sequence[str]) -> Answer:
        if list(arguments) == ["--help"]:
            return Answer(HELP, status=1)
        if arguments and all(a.partition("=")[0] in UNATTENDED for a in arguments):
            return await self.set_up()
        if arguments:
            return Answer(err=f"FATAL: Invalid option '{arguments[0]}'\n", status=1)
        return Answer(err="***L:ERROR engine-setup: there is nobody to ask; see --help\n", status=1)

    async def _systemctl(self, arguments: Sequence[str]) -> Answer:
        if not arguments:
            return Answer(err="systemctl: a verb is missing\n", status=1)
        verb, units = (
            arguments[0],
            [a.removesuffix(".service") for a in arguments[1:] if not a.startswith("-")],
        )
        if verb not in {"is-enabled", "is-active"}:
            return Answer(err=f"Unknown operation {verb}.\n", status=1)
        if units != [SERVICE]:
            return _unknown_unit(verb, " ".join(units))
        if verb == "is-enabled":
            return Answer("enabled\n") if self.enabled else Answer("disabled\n", status=1)
        return Answer("active\n") if await self.installed() else Answer("failed\n", status=INACTIVE)

    async def _files(self, program: str, arguments: Sequence[str]) -> Answer:
        path = arguments[-1] if arguments else ""
        if path.rstrip("/") == LOG_FOLDER and program == "ls":
            return Answer(f"{self.log_name}\n")
        if path == f"{LOG_FOLDER}/{self.log_name}" and program != "ls":
            await self.installed()
            return Answer(self.log_file.read_text(encoding="utf-8"))
        certificate = self.share.certificate(path)
        if certificate is not None and program != "ls":
            return certificate
        if path == "/etc/os-release" and program != "ls":
            return Answer(OS_RELEASE)
        return Answer(
            err=f"{program}: {path}: No such file or directory\n", status=2 if program == "ls" else 1
        )


def without_timeout(words: list[str]) -> list[str]:
    """Drop every leading `timeout [-k SECONDS] SECONDS`: clients wrap commands in it so that none outlives them."""
    while words and words[0] == "timeout":
        rest = words[1:]
        while rest and rest[0].startswith("-"):
            rest = rest[2:] if rest[0] in {"-k", "-s"} else rest[1:]
        words = rest[1:]
    return words


def _unknown_unit(verb: str, unit: str) -> Answer:
    if verb == "is-active":
        return Answer("inactive\n", status=INACTIVE)
    return Answer(
        err=f"Failed to get unit file state for {unit}.service: No such file or directory\n", status=1
    )
