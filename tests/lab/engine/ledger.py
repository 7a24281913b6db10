"""What clients that work at once were told, and whether what the engine holds at the end agrees with it."""

from __future__ import annotations

import itertools
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Update:
    """An acknowledged change: when it was asked for, when it was acknowledged, and the value."""

    began: int
    ended: int
    value: str


@dataclass
class Thing:
    """An object whose creation was acknowledged. `leaving` counts removals that are asked for and not refused."""

    kind: str
    id: str
    leaving: int = 0
    removed: int = 0
    updates: dict[str, list[Update]] = field(default_factory=dict)


class Ledger:
    """Everything acknowledged, in the order of a common counter."""

    def __init__(self) -> None:
        self._things: dict[str, Thing] = {}
        self._lock = threading.Lock()
        self._time = itertools.count()

    def pick(self, kind: str, dice: random.Random) -> Thing | None:
        """Return one of a kind, now and then one that is gone."""
        with self._lock:
            found = [thing for thing in self._things.values() if thing.kind == kind]
        there = [thing for thing in found if not thing.removed]
        return dice.choice((there if there and dice.random() < 0.9 else found) or [None])

    @contextmanager
    def adding(self, kind: str, name: str) -> Iterator[Callable[[str], None]]:
        """Give what to call with the id when a creation was acknowledged."""
        began = next(self._time)

        def added(id_: str) -> None:
            with self._lock:
                assert id_ not in self._things, f"{kind} {id_} was made twice"
                updates = {"name": [Update(began, next(self._time), name)]}
                self._things[id_] = Thing(kind, id_, updates=updates)

        yield added

    @contextmanager
    def updating(self, thing: Thing, what: str, value: str) -> Iterator[Callable[[], None]]:
        """Give what to call when a change was acknowledged."""
        began = next(self._time)

        def updated() -> None:
            with self._lock:
                thing.updates.setdefault(what, []).append(Update(began, next(self._time), value))

        yield updated

    @contextmanager
    def removing(self, thing: Thing) -> Iterator[Callable[[], None]]:
        """Give what to call when a removal was acknowledged."""
        acknowledged = False

        def removed() -> None:
            nonlocal acknowledged
            acknowledged = True

        with self._lock:
            thing.leaving += 1
        yield removed
        with self._lock:
            thing.leaving -= not acknowledged
            thing.removed += acknowledged
            assert thing.removed <= 1, f"{thing.kind} {thing.id} was removed twice"

    @contextmanager
    def looking(self, kind: str) -> Iterator[Callable[[set[str]], None]]:
        """Give what to call with the ids of a list."""
        with self._lock:
            before = [thing for thing in self._things.values() if thing.kind == kind and not thing.leaving]
            gone = {thing.id for thing in self._things.values() if thing.kind == kind and thing.removed}

        def surely(found: set[str]) -> None:
            with self._lock:
                missing = {thing.id for thing in before if not thing.leaving} - found
            assert not missing, f"acknowledged and not in the list: {kind} {missing}"
            assert kind == "disk" or not gone & found, f"removed and still in the list: {kind} {gone & found}"

        yield surely

    def check(self, kind: str, found: Sequence[Any]) -> None:
        """Compare with what the engine holds at the end."""
        mine = [thing for thing in self._things.values() if thing.kind == kind]
        assert mine, f"no {kind} was made"
        assert Counter(item.id for item in found) == Counter(thing.id for thing in mine if not thing.removed)
        if kind != "disk":
            assert max(Counter(item.name for item in found).values(), default=1) == 1
        by_id = {item.id: item for item in found}
        for thing in mine:
            for what, updates in thing.updates.items() if not thing.removed else ():
                latest = max(update.began for update in updates)
                last = {update.value for update in updates if update.ended >= latest}
                shown = getattr(by_id[thing.id], what)
                assert shown in last, f"{kind} {thing.id}: {what} is {shown}, not one of {last}"
