"""Paths that a command reads: one that is not there is remembered, so that the refusal can name its nearest."""

from __future__ import annotations

import difflib
from itertools import islice
from pathlib import Path

import click

_MISSED = "pytest_ovirt_release.missed"
MOST = 2_000
"""Names of a folder that are looked at: nobody waits for a hint."""


class _Given(click.Path):
    """A path that should be there; whether it has to be is for the command to say."""

    name = "path"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path, and remember it when nothing is there."""
        path = Path(str(super().convert(str(value), param, ctx)))
        if ctx is not None and not path.exists():
            ctx.meta.setdefault(_MISSED, []).append(path)
        return path


GIVEN = _Given(path_type=Path)


def nearest(ctx: click.Context, message: str) -> str:
    """Return `; did you mean …?` for every path that this message is about, is not there and has a neighbour."""
    if "did you mean" in message:
        return ""
    missed = (path for path in ctx.meta.get(_MISSED, ()) if str(path) in message)
    return "".join(hint(path) for path in missed)


def hint(path: Path) -> str:
    """Return `; did you mean …?` with the path nearest to one that is not there, or nothing.

    Where a folder on the way is not there either, it is the folder that was mistyped.
    """
    wrong = next((folder for folder in reversed(path.parents) if not folder.exists()), path)
    try:
        there = sorted(entry.name for entry in islice(wrong.parent.iterdir(), MOST))
    except OSError:
        return ""
    # By the part before the first dot: a common ending makes two names no neighbours.
    stems = {name.partition(".")[0]: name for name in difflib.get_close_matches(wrong.name, there, n=9)[::-1]}
    for stem in difflib.get_close_matches(wrong.name.partition(".")[0], stems, n=1):
        name = stems[stem]
        near = wrong.parent / name
        whole = near / path.relative_to(wrong)
        return f"; did you mean {str(whole if whole.exists() else near)!r}?"
    return ""
