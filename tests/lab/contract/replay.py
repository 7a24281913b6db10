"""Replays a recorded topic against the lab in its own order, and says where the answers differ."""

from __future__ import annotations

import asyncio
import math
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.state import BLANK
from tests.lab.contract import ignored, scope
from tests.lab.contract.derive import MATTER, correlation
from tests.lab.contract.document import at, lines, parse
from tests.lab.contract.model import Event
from tests.lab.contract.stage import Stage
from tests.lab.contract.watching import Watcher
from tests.lab.contract.world import RECORDED_IDS, WORLDS, World

if TYPE_CHECKING:
    from tests.lab.contract.model import Exchange, Topic, Watch
    from tests.lab.contract.stage import Answer
    from tests.lab.engine.fakes import Bench

PATIENCE = 3.0
"""Real seconds for a state that was recorded to come, beyond the time that it took the real engine."""

LONGEST_PAUSE = 12.0
"""Of the engine's seconds: what it does in the background needs no more, unless a state tells."""

NOT_IMPLEMENTED = 501
DIFFERS = Path(__file__).parent / "differs.txt"
"""Where the lab still differs from the recordings: TOPIC/EXCHANGE; may only become shorter."""


@dataclass
class Difference:
    """One place where the lab is not as recorded."""

    exchange: str
    text: str

    def __str__(self) -> str:
        return f"{self.exchange}: {self.text}"


@dataclass
class Replay:
    """One topic on one engine."""

    topic: Topic
    stage: Stage
    speed: float
    watchers: dict[str, Watcher] = field(default_factory=dict)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    found: list[Difference] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    aliases: dict[str, str] = field(default_factory=dict)
    """Names of what the topic names by where it was first answered."""
    reached: float = 0.0

    def run(self) -> list[Difference]:
        """Do it all and return the differences."""
        world = WORLDS.get(self.topic.name, World())
        self._set_up(world)
        self._watch()
        try:
            sent, before = time.monotonic(), 0.0
            for exchange in self.topic.exchanges:
                pause = min(exchange.started - before, LONGEST_PAUSE) / self.speed
                time.sleep(max(0.0, sent + pause - time.monotonic()))
                sent, before = time.monotonic(), exchange.started
                if act := world.acts.get(exchange.name):
                    act(self.stage)
                self._await(exchange)
                self._exchange(exchange)
            self._end()
        finally:
            for task in self.tasks:
                self.stage.bench.loop.call_soon_threadsafe(task.cancel)
        return self.found

    def _set_up(self, world: World) -> None:
        for last in range(12, 17):
            self.stage.node(f"127.0.0.{last}")
        for name, address in world.hosts:
            self.stage.host_up(name, address, by_password=name not in world.unseen)
        if world.nfs:
            self.stage.nfs_attached(world.nfs, world.hosts[0][0])
        for name, text in world.comments.items():
            self.stage.api(
                "PUT",
                f"/hosts/{self.stage.id_of(f'{{host:{name}}}')}",
                f"<host><comment>{text}</comment></host>",
            )
        for name in world.alerts:
            self.stage.alert(name)
        self.stage.ids["{tag:root}"] = BLANK
        self.stage.names.known[self.stage.bench.engine.core.user_id] = "{user:admin@internal-authz}"
        for path in ("/datacenters", "/clusters", "/hosts", "/storagedomains"):
            self.stage.names.learn(self.stage.api("GET", path).body)
        known = {symbol: id_ for id_, symbol in self.stage.names.known.items()}
        self.stage.ids |= {id_: known[symbol] for id_, symbol in RECORDED_IDS.items()}
        self.stage.before = len(self.stage.bench.engine.core.events.events)

    def _watch(self) -> None:
        began = time.monotonic()

        async def start(watcher: Watcher) -> None:
            self.tasks.append(asyncio.get_running_loop().create_task(watcher.run()))

        for watch in self.topic.watches:
            watcher = Watcher(self.stage, watch.name, watch.path, self.speed, began)
            self.watchers[watch.name] = watcher
            self.stage.bench.do(start(watcher))

    def _await(self, exchange: Exchange) -> None:
        """Wait until every watched object has been in the states it had been in when the request was sent."""
        for watch in self.topic.watches:
            end = time.monotonic() + PATIENCE + max(exchange.started - self.reached, 0) / self.speed
            wanted = self._before(watch, exchange.started)
            while wanted and watch.name not in self.lost and not is_subsequence(wanted, self._seen(watch)):
                if time.monotonic() > end:
                    text = (
                        f"{watch.name} did not become {wanted[-1]}: it was {self._seen(watch)}, not {wanted}"
                    )
                    self.found.append(Difference(exchange.name, text))
                    self.lost.add(watch.name)  # said once; every later wait would be in vain
                    break
                time.sleep(0.002)

    def _before(self, watch: Watch, moment: float) -> list[str]:
        until = round(moment, 2)  # as exact as the times of states are
        states = [s.split("/")[0] for t, s in scope.states(self.topic, watch) if t <= until]
        return [self.aliases.get(s, s) for s in states if s not in self.topic.bindings or s in self.aliases]

    def _seen(self, watch: Watch) -> list[str]:
        return [state for _, state in self.watchers[watch.name].states]

    def _exchange(self, exchange: Exchange) -> None:
        self.reached = exchange.started
        try:
            answer = self.stage.ask(exchange)
        except LookupError as error:
            if scope.outside(exchange):
                return  # about an object that something out of scope would have made
            self.found.append(Difference(exchange.name, str(error)))
            return
        for symbol, (where, place) in self.topic.bindings.items():
            root = parse(answer.body) if where == exchange.name else None
            if root is not None and (id_ := at(root, place)):
                self.stage.ids[symbol] = id_
                self.aliases[symbol] = self.stage.names.known.setdefault(id_, symbol)
        self.found += [Difference(exchange.name, text) for text in self._compare(exchange, answer)]

    def _compare(self, exchange: Exchange, answer: Answer) -> list[str]:
        if f"{self.topic.name}/{exchange.name}" in ignored.EXCHANGES:
            return []
        if why := scope.outside(exchange):
            named = b"is not implemented by this lab" in answer.body
            good = (answer.status == NOT_IMPLEMENTED and named) or not different(exchange, answer, self.stage)
            return [] if good else [f"out of scope ({why}), but answered {answer.status}"]
        return different(exchange, answer, self.stage)

    def _end(self) -> None:
        for watch in self.topic.watches:
            if f"{self.topic.name}/{watch.name}" in scope.WATCHES:
                continue
            recorded, seen = self._before(watch, math.inf), self._seen(watch)
            if not is_subsequence(recorded, seen):
                self.found.append(Difference("states", f"{watch.name}: {seen}, recorded {recorded}"))
                continue
            # A recording begins with the state that its poller found first; ours looks from the beginning.
            seen = seen[seen.index(recorded[0]) :] if recorded and recorded[0] in seen else seen
            if extra := sorted(set(seen) - set(recorded) - set(ignored.STATES)):
                self.found.append(Difference("states", f"{watch.name}: also {extra} in {seen}"))
        self.found += [Difference("events", text) for text in self._event_differences()]

    def _event_differences(self) -> list[str]:
        if not self.topic.events:
            return []
        log = self.stage.bench.engine.core.events.events[self.stage.before :]
        names = self.stage.names
        seen = [
            Event(e.code, e.severity, names.plain(e.description), correlation(e.correlation))
            for e in log
            if ignored.same_event(e.code, e.description)
        ]
        wanted = [e for e in self.topic.events if ignored.same_event(e.code, e.text)]
        return events_differ(wanted, seen)


def known(topic: str) -> set[str]:
    """Return the exchanges of a topic (or `states`, `events`) in which the lab is known to differ."""
    lines_ = DIFFERS.read_text(encoding="utf-8").split()
    return {line.split("/")[1] for line in lines_ if line.startswith(f"{topic}/")}


def is_subsequence(short: list[str], long: list[str]) -> bool:
    """Return whether all of the first occur in the second, in order."""
    rest = iter(long)
    return all(item in rest for item in short)


def different(exchange: Exchange, answer: Answer, stage: Stage) -> list[str]:
    """Return in what an answer differs from the recorded one."""
    said = []
    if answer.status != exchange.status:
        return [f"status {answer.status}, recorded {exchange.status}; {answer.body[-200:]!r}"]
    for name in sorted(MATTER | {"correlation-id"}):
        wanted = exchange.answer_headers.get(name)
        got = answer.headers.get(name)
        if name == "correlation-id" and wanted is None:
            continue
        got = got if got is None else got.split("=", 1)[0] if name == "set-cookie" else stage.names.plain(got)
        if wanted is not None:
            wanted = so_far(wanted, stage)
        if got != wanted:
            said.append(f"header {name}: {got}, recorded {wanted}")
    if (
        exchange.path.startswith("/ovirt-engine/api/events?from={event:before}")
        or ignored.LONG_PAGE in exchange.answer
    ):
        return said
    if "<long page>" in exchange.answer:
        return said  # a page for people: that it is one is all that can be compared
    wanted_lines = {n for line in exchange.answer if (n := ignored.normal(line)) is not None}
    got_lines = {n for line in lines(answer.body, stage.names) if (n := ignored.normal(line)) is not None}
    said += [f"missing {line}" for line in sorted(wanted_lines - got_lines)]
    said += [f"extra {line}" for line in sorted(got_lines - wanted_lines)]
    return said


def so_far(text: str, stage: Stage) -> str:
    """Return a recorded text as one who has not yet seen all names would write it."""
    return re.sub(r"\{[a-z]+:[^}]*\}", lambda m: m[0] if m[0] in stage.names.known.values() else "<id>", text)


def events_differ(wanted: list[Event], seen: list[Event]) -> list[str]:
    """Return the events that are missing, too many, or in another order."""
    said = []
    left = list(seen)
    for event in wanted:
        if event in left:
            left.remove(event)
        else:
            said.append(f"missing {event}")
    said += [f"extra {event}" for event in left]
    wanted, seen = ([e for e in events if e.code not in ignored.LATE] for events in (wanted, seen))
    if not said and wanted != seen:
        at_ = next(i for i, (a, b) in enumerate(zip(wanted, seen, strict=True)) if a != b)
        said.append(f"order: {seen[at_]} comes where {wanted[at_]} was recorded")
    return said


def replay(topic: Topic, bench: Bench, speed: float) -> list[Difference]:
    """Replay one topic on a fresh engine."""
    return Replay(topic, Stage.on(bench), speed).run()
