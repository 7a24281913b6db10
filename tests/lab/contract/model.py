"""Facts about a real engine's answers: what one recorded exchange asked, and what matters of the answer."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

FACTS = Path(__file__).parent / "facts"


@dataclass(frozen=True)
class Exchange:
    """One request and what was answered; ids stand as `{host:h12}`, times are seconds from the topic's start."""

    name: str
    scheme: str
    method: str
    path: str
    headers: dict[str, str]
    body: str | None
    status: int
    answer_headers: dict[str, str]
    answer: tuple[str, ...]
    started: float
    took: float
    note: str = ""


@dataclass(frozen=True)
class Event:
    """One event: what the audit log said, in order."""

    code: int
    severity: str
    text: str
    correlation: str


@dataclass(frozen=True)
class Watch:
    """One object's states as a poller saw them: (seconds, state); `path` has its id as `{kind:name}`."""

    name: str
    path: str
    states: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Topic:
    """A folder of recordings: single exchanges, or a scenario with states and events.

    `bindings` say where an id without a name was first answered: symbol -> (exchange, path in its document).
    """

    name: str
    recorded: str
    exchanges: tuple[Exchange, ...]
    watches: tuple[Watch, ...] = ()
    events: tuple[Event, ...] = ()
    bindings: dict[str, tuple[str, str]] = field(default_factory=dict)


def topics() -> list[Topic]:
    """Return all committed facts."""
    return [load(path) for path in sorted(FACTS.glob("[0-9a-z]*-*.json"))]


def load(path: Path) -> Topic:
    """Read one topic's facts; answers that occur often are stored once in `answers.json`."""
    answers = json.loads((FACTS / "answers.json").read_text(encoding="utf-8"))
    raw = json.loads(path.read_text(encoding="utf-8"))
    exchanges = [Exchange(**e | {"answer": tuple(answers[e["answer"]])}) for e in raw["exchanges"]]
    watches = [Watch(w["name"], w["path"], tuple((t, s) for t, s in w["states"])) for w in raw["watches"]]
    events = [Event(**e) for e in raw["events"]]
    bindings = {symbol: (where, at) for symbol, (where, at) in raw["bindings"].items()}
    return Topic(raw["name"], raw["recorded"], tuple(exchanges), tuple(watches), tuple(events), bindings)


def dump(found: list[Topic]) -> None:
    """Write the facts of all topics; the same recordings give the same bytes."""
    FACTS.mkdir(exist_ok=True)
    answers: dict[tuple[str, ...], str] = {}
    for topic in found:
        raw = asdict(topic)
        for exchange in raw["exchanges"]:
            answer = tuple(exchange["answer"])
            exchange["answer"] = answers.setdefault(answer, f"a{len(answers) + 1}")
        lines = {key: [json.dumps(item) for item in raw[key]] for key in ("exchanges", "watches", "events")}
        head = json.dumps({key: raw[key] for key in ("name", "recorded", "bindings")}, sort_keys=True)[1:-1]
        body = ",\n".join(f'"{key}": [\n' + ",\n".join(rows) + "\n]" for key, rows in lines.items())
        (FACTS / f"{topic.name}.json").write_text(f"{{{head},\n{body}\n}}\n", encoding="utf-8")
    table = ",\n".join(f'"{key}": {json.dumps(answer)}' for answer, key in answers.items())
    (FACTS / "answers.json").write_text(f"{{\n{table}\n}}\n", encoding="utf-8")
