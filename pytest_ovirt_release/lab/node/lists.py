"""What a node understands of the shell's language: lists of simple commands.

Lines, `&&`, `||`, `"$1"`, `exit N`, and quotes. It runs the node's own commands and nothing else, so that a script can
be sent to a node of the lab without any of it running on the machine that the lab runs on.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.node.shell import USAGE, Result

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    Execute = Callable[[list[str]], Awaitable[Result]]

_PARAMETER = re.compile(r"\$(\d)")
_UNKNOWN = re.compile(r"\$[^\d]|[`;<>]")


async def run_list(script: str, words: Sequence[str], execute: Execute) -> Result:
    """Run a script whose `$1`, `$2` … are these words; what is more than lists of commands is a syntax error."""
    try:
        commands = [part for line in script.splitlines() for part in _parts(line)]
    except ValueError as error:
        return Result(USAGE, stderr=f"sh: syntax error: {error}\n")
    status, out, errors = 0, "", ""
    for joint, command in commands:
        if (joint == "&&" and status != 0) or (joint == "||" and status == 0):
            continue
        argv = [_PARAMETER.sub(lambda m: ("", *words)[int(m[1])], word) for word in command]
        if argv[0] == "exit":
            return Result(int(argv[1]), out, errors)
        done = await execute(argv)
        status, out, errors = done.status, out + done.stdout, errors + done.stderr
    return Result(status, out, errors)


def _parts(line: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each command of a line with what stands before it; ValueError where this is not a list of commands."""
    if (unknown := _UNKNOWN.search(line)) is not None:
        raise ValueError(f"{unknown[0]} is more than this node understands")
    lexer = shlex.shlex(line, posix=True, punctuation_chars="&|")
    lexer.whitespace_split = True
    joint, command = "", list[str]()
    for word in lexer:
        if set(word) <= {"&", "|"}:
            if word not in {"&&", "||"} or not command:
                raise ValueError(f"{word} is more than this node understands")
            yield joint, command
            joint, command = word, []
        else:
            command.append(word)
    if command:
        yield joint, command
    elif joint:
        raise ValueError(f"nothing follows {joint}")
