"""Paths that a command reads: one that is not there is remembered, so that the refusal can name its nearest."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

_MISSED = "pytest_ovirt_release.missed"


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


def nearest(ctx: click.Context) -> str:
    """Return `; did you mean …?` for every path of this command that is not there and has a neighbour."""
    return "".join(
        f"; did you mean {str(near)!r}?" for path in ctx.meta.get(_MISSED, ()) for near in _near(path)
    )


def _near(path: Path) -> Iterator[Path]:
    try:
        there = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return
    for name in difflib.get_close_matches(path.name, sorted(there), n=1):
        yield path.parent / name
