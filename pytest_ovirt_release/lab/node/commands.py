"""The commands that a node's shell knows.

Each is a function of the node's state and its own arguments; nothing of the machine that the lab runs on is
ever executed or read.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.node import inspection
from pytest_ovirt_release.lab.node.capabilities import KERNEL
from pytest_ovirt_release.lab.node.files import VDSM_ID
from pytest_ovirt_release.lab.node.lists import run_list
from pytest_ovirt_release.lab.node.registration import RegistrationError, register
from pytest_ovirt_release.lab.node.registration_options import Help, UsageError, parse
from pytest_ovirt_release.lab.node.services import iptables, reboot, systemctl
from pytest_ovirt_release.lab.node.shell import NOT_FOUND, USAGE, Result

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pytest_ovirt_release.lab.node.shell import Shell


async def run(shell: Shell, line: str) -> Result:
    """Run one command line; an unknown command ends with 127 and the shell's sentence."""
    try:
        argv = shlex.split(line)
    except ValueError as error:
        return Result(USAGE, stderr=f"bash: -c: {error}\n")
    return await execute(shell, argv)


async def execute(shell: Shell, argv: list[str]) -> Result:
    """Run one command, given as its words."""
    argv = _without_timeout(argv)
    if not argv:
        return Result(0)
    command = _COMMANDS.get(argv[0].rpartition("/")[2])
    if command is None:
        return Result(NOT_FOUND, stderr=f"bash: line 1: {argv[0]}: command not found\n")
    return await command(shell, argv[1:])


def _without_timeout(argv: list[str]) -> list[str]:
    """Drop `timeout [-k N] N` before a command: nothing here runs longer than its own deadlines."""
    if argv[:1] != ["timeout"]:
        return argv
    rest = argv[1:]
    while rest and rest[0].startswith("-"):
        rest = rest[2:] if rest[0] in {"-k", "-s"} else rest[1:]
    return rest[1:]


async def _vdsm_tool(shell: Shell, arguments: list[str]) -> Result:
    match arguments:
        case ["register", *options]:
            return await _register(shell, options)
        case ["vdsm-id"]:
            return Result(0, (shell.files.read(VDSM_ID) or shell.hardware_id).strip() + "\n")
        case ["configure", *_]:
            if not shell.files.read(VDSM_ID):
                shell.files.write(VDSM_ID, shell.hardware_id + "\n")
            shell.configured = True
            return Result(0, "Done configuring modules to VDSM.\n")
        case ["is-configured", *_]:
            return Result(0 if shell.configured else 1)
        case _:
            return Result(1, stderr=f"vdsm-tool: unknown verb: {shlex.join(arguments)}\n")


async def _register(shell: Shell, options: list[str]) -> Result:
    said: list[str] = []
    try:
        wanted = parse(options, shell.ssh_port)
    except UsageError as error:
        return Result(USAGE, stderr=str(error))
    except Help as text:
        return Result(0, str(text))
    try:
        await register(wanted, shell.files, shell.hardware_id, shell.address, said.append)
    except RegistrationError:
        return Result(1, _lines(said))
    return Result(0, _lines(said))


def _lines(said: list[str]) -> str:
    return "".join(line + "\n" for line in said)


async def _cat(shell: Shell, arguments: list[str]) -> Result:
    out, errors = "", ""
    for name in _names(arguments):
        text = shell.files.read(name)
        if text is None:
            errors += f"cat: {name}: No such file or directory\n"
        else:
            out += text
    return Result(1 if errors else 0, out, errors)


async def _tail(shell: Shell, arguments: list[str]) -> Result:
    match arguments:
        case ["-n", count, *names] if count.isdigit():
            wanted = int(count)
        case names:
            wanted = 10
    done = await _cat(shell, names)
    lines = done.stdout.splitlines(keepends=True)
    return Result(
        done.status, "".join(lines[max(0, len(lines) - wanted) :]), done.stderr.replace("cat:", "tail:")
    )


async def _rm(shell: Shell, arguments: list[str]) -> Result:
    force = any(option in {"-f", "--force"} for option in arguments)
    errors = ""
    for name in _names(arguments):
        path = shell.files.path(name)
        if path.is_file():
            path.unlink()
        elif path.is_dir():
            errors += f"rm: cannot remove '{name}': Is a directory\n"
        elif not force:
            errors += f"rm: cannot remove '{name}': No such file or directory\n"
    return Result(1 if errors else 0, stderr=errors)


async def _ls(shell: Shell, arguments: list[str]) -> Result:
    out, errors = "", ""
    everything = any(option.startswith("-") and "a" in option.lower() for option in arguments)
    for name in _names(arguments):
        path = shell.files.path(name)
        if path.is_dir():
            found = sorted(entry.name for entry in path.iterdir())
            out += _lines([entry for entry in found if everything or not entry.startswith(".")])
        elif path.exists():
            out += name + "\n"
        else:
            errors += f"ls: cannot access '{name}': No such file or directory\n"
    return Result(USAGE if errors else 0, out, errors)


async def _test(shell: Shell, arguments: list[str]) -> Result:
    match arguments:
        case ["-e", name]:
            holds = shell.files.path(name).exists()
        case ["-f", name]:
            holds = shell.files.path(name).is_file()
        case ["-d", name]:
            holds = shell.files.path(name).is_dir()
        case _:
            return Result(USAGE, stderr=f"test: {shlex.join(arguments)}: not understood\n")
    return Result(0 if holds else 1)


def _names(arguments: list[str]) -> list[str]:
    if "--" in arguments:
        return arguments[arguments.index("--") + 1 :]
    return [argument for argument in arguments if not argument.startswith("-")]


async def _hostname(shell: Shell, _arguments: list[str]) -> Result:
    return Result(0, shell.name + "\n")


async def _uname(shell: Shell, arguments: list[str]) -> Result:
    words = {"-r": KERNEL, "-n": shell.name, "-m": "x86_64", "-s": "Linux"}
    asked = [words[option] for option in arguments if option in words]
    return Result(0, " ".join(asked or ["Linux"]) + "\n")


async def _true(_shell: Shell, _arguments: list[str]) -> Result:
    return Result(0)


async def _echo(_shell: Shell, arguments: list[str]) -> Result:
    return Result(0, " ".join(arguments) + "\n")


async def _sh(shell: Shell, arguments: list[str]) -> Result:
    match arguments:
        case ["-c", script, _name, *words]:
            return await run_list(script, words, lambda argv: execute(shell, argv))
        case _:
            return Result(USAGE, stderr="sh: this node runs `sh -c SCRIPT NAME WORDS` only\n")


async def _unshare(shell: Shell, arguments: list[str]) -> Result:
    match arguments:
        case ["--mount", "--propagation", "private", *command]:
            return await execute(replace(shell, unshared=True), command)
        case _:
            return Result(1, stderr=f"unshare: {shlex.join(arguments)}: not understood\n")


async def _setpriv(shell: Shell, arguments: list[str]) -> Result:
    match arguments:
        case ["--reuid=36", "--regid=36", "--clear-groups", *command]:
            denied = inspection.denied_to_vdsm(shell, _names(command[1:]))
            return denied or await execute(shell, command)
        case _:
            return Result(1, stderr=f"setpriv: {shlex.join(arguments)}: not understood\n")


_COMMANDS: dict[str, Callable[[Shell, list[str]], Awaitable[Result]]] = {
    "cat": _cat,
    "date": inspection.date,
    "df": inspection.df,
    "echo": _echo,
    "hostname": _hostname,
    "iptables": iptables,
    "ls": _ls,
    "mount": inspection.mount,
    "reboot": reboot,
    "rm": _rm,
    "rpm": inspection.rpm,
    "setpriv": _setpriv,
    "sh": _sh,
    "stat": inspection.stat,
    "systemctl": systemctl,
    "tail": _tail,
    "test": _test,
    "true": _true,
    "uname": _uname,
    "unshare": _unshare,
    "vdsm-tool": _vdsm_tool,
}
