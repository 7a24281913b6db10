"""Which tests come first under workers: those of one node go to one worker, so that two nodes are at work at once.

xdist hands out the first tests in pieces, one after another to each worker, and later ones singly. In the order that
tests are collected in, both smoke tests are in the first worker's piece: it would bring up one node after the other
while the second worker waits for their locks. Only the order changes; which worker gets what stays xdist's own choice,
and where it chooses otherwise, a run takes longer and nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, TypeVar, get_args

from pytest_ovirt_release.target.model import StorageKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pytest_ovirt_release.target.model import NodeTarget

T = TypeVar("T")

SMOKE, NODE = "vm-on-", "node-"
"""How the ids of requirements begin that a node is needed for."""
KINDS: tuple[StorageKind, ...] = get_args(StorageKind)

SMALLEST_PIECE = 2
PIECES = 4
"""Of how many pieces, at least, xdist's `load` makes each worker's share."""


def first_piece(tests: int, workers: int) -> int:
    """Return how many tests xdist gives each worker at first (`LoadScheduling.schedule`)."""
    if tests < SMALLEST_PIECE * workers:
        return 1
    return max(tests // (PIECES * workers), SMALLEST_PIECE)


def node_used(cells: Iterable[str], nodes: Sequence[NodeTarget]) -> str | None:
    """Return the name of the node that a test works with, going by the cells it stands for; None: with none."""
    serving = {f"{SMOKE}{kind}": n.name for n in reversed(nodes) for kind in KINDS if n.serves(kind)}
    for cell in cells:
        requirement, _, value = cell.removesuffix("]").partition("[")
        if requirement in serving:
            return serving[requirement]
        if requirement.startswith(NODE) and any(n.name == value for n in nodes):
            return value
    return None


def ordered(tests: Sequence[T], node_of: Callable[[T], str | None], workers: int) -> list[T]:
    """Return the tests so that each worker's first piece begins with those of one node; else in their order."""
    chains: dict[str, list[T]] = defaultdict(list)
    others: list[T] = []
    for test in tests:
        node = node_of(test)
        (others if node is None else chains[node]).append(test)
    piece = first_piece(len(tests), workers)
    found: list[T] = []
    for chain in chains.values():
        begin = chain[:piece]
        room = piece - len(begin)
        found += [*begin, *others[:room]]
        del others[:room]
    return [*found, *(test for chain in chains.values() for test in chain[piece:]), *others]
