"""The order that `needs` puts the requirements in."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def cycle_in(needs: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Return a circle of requirements that need each other, the first one again at the end, or nothing."""
    try:
        TopologicalSorter({name: tuple(others) for name, others in needs.items()}).prepare()
    except CycleError as error:
        return tuple(reversed(error.args[1]))
    return ()
