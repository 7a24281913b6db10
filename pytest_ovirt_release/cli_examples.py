"""The example in each command's help, broken where a line of a terminal ends so that it can be pasted as it stands."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = 76
"""Columns: the help of a terminal of 80, without its indent and a backslash."""

_EXAMPLE = re.compile(r"^Example: (.+)$", re.MULTILINE)
_TOKEN = re.compile(r"(?:[^\s\"]|\"[^\"]*\")+")
_AS_IT_STANDS = "\b\n"
"""What tells click not to wrap a paragraph anew."""


def make_pasteable(command: click.Command) -> None:
    """Break the examples of a command, and of all below it, between their words in the way a shell reads on."""
    if command.help:
        command.help = _EXAMPLE.sub(_broken, inspect.cleandoc(command.help))
    if isinstance(command, click.Group):
        for below in command.commands.values():
            make_pasteable(below)


def _broken(found: re.Match[str]) -> str:
    return _AS_IT_STANDS + " \\\n".join(_lines(f"Example: {found[1]}"))


def _lines(example: str) -> Iterator[str]:
    line = ""
    for token in _TOKEN.findall(example):
        if line and len(line) + 1 + len(token) > WIDTH:
            yield line
            line = "   "
        line += f" {token}" if line else token
    yield line
