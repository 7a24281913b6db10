"""A node's stages as data: what was reached, how, and which requirement a failed stage speaks for."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

from pytest_ovirt_release.checks.waiting import states_seen
from pytest_ovirt_release.errors import Blocked, CheckFailed, Unproven, Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import NoReturn

    from pytest_ovirt_release.target.model import NodeTarget

Stage = Literal["registered", "approved", "up", "storage"]
STAGES: tuple[Stage, ...] = get_args(Stage)
Outcome = Literal["passed", "failed", "blocked", "errored"]


class StageFailed(Exception):  # noqa: N818 - reads as what happened
    """A stage was tried and does not hold; tests turn it into *failed* or *blocked*."""

    def __init__(self, stage: Stage, code: str, sentence: str, history: Sequence[str] = ()) -> None:
        """Take the stage, a short stable code, one sentence, and the states seen with their times."""
        self.stage = stage
        self.history = tuple(history)
        self.code = code
        self.sentence = sentence
        super().__init__(sentence)


@dataclass(frozen=True)
class StageRecord:
    """How one stage ended; `history` holds the states seen with their seconds, `facts` what it found."""

    outcome: Outcome
    code: str = ""
    sentence: str = ""
    on: str = ""
    seconds: float = 0.0
    history: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NodeState:
    """What is known of one node in this run; ids are the engine's.

    `serves` is the kind of storage that its places and its storage stage are of. While `is_moving`, this run itself has
    it leave `up`.
    """

    node: str
    stages: dict[str, StageRecord] = field(default_factory=dict)
    host_id: str = ""
    host_name: str = ""
    own_ids: tuple[str, ...] = ()
    cluster_id: str = ""
    data_center_id: str = ""
    domain_id: str = ""
    first_event: int = 0
    serves: str = ""
    is_moving: bool = False

    def with_stage(self, stage: Stage, record: StageRecord, **known: Any) -> NodeState:  # noqa: ANN401
        """Return this state with one more stage judged."""
        return replace(self, stages={**self.stages, stage: record}, **known)


def read_state(path: Path, node: str) -> NodeState:
    """Read a node's state; a fresh one when there is none yet."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return NodeState(node)
    stages = {name: _record(record) for name, record in data.pop("stages").items()}
    return NodeState(**{**data, "own_ids": tuple(data["own_ids"]), "stages": stages})


def _record(data: dict[str, Any]) -> StageRecord:
    return StageRecord(**{**data, "history": tuple(data["history"])})


def write_state(path: Path, state: NodeState) -> None:
    """Write a node's state so that a killed process leaves the old one or the new one."""
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.write_text(json.dumps(asdict(state), indent=1), encoding="utf-8")
    new.replace(path)


def raise_unless_passed(stage: Stage, record: StageRecord, cause: Exception | None = None) -> None:
    """Raise what a stage's record says: StageFailed, Blocked or Unproven; nothing when it passed."""
    if record.outcome == "failed":
        raise StageFailed(stage, record.code, record.sentence, record.history) from cause
    if record.outcome == "blocked":
        raise Blocked(record.on, record.sentence) from cause
    if record.outcome == "errored":
        raise Unproven(record.sentence) from cause


def as_record(error: Exception) -> StageRecord:
    """Return what a stage that ended with this error is recorded as."""
    seen = states_seen(error)
    if isinstance(error, StageFailed):
        return StageRecord("failed", error.code, error.sentence, history=seen)
    if isinstance(error, Blocked):
        return StageRecord("blocked", "blocked", error.why, error.on)
    code = "unreachable" if isinstance(error, Unreachable) else "errored"
    return StageRecord("errored", code, f"{type(error).__name__}: {error}", history=seen)


def requirement_of(stage: Stage, node: NodeTarget) -> str:
    """Return the requirement that a stage of this node speaks for."""
    if stage == "registered":
        return "node-registers"
    return f"vm-on-{node.storage}" if stage == "storage" else "node-approved"


@contextmanager
def judging(requirement: str, node: NodeTarget) -> Iterator[None]:
    """Turn a failed stage into *failed* when it is this requirement's own, into *blocked* otherwise."""
    try:
        yield
    except StageFailed as failed:
        _judge(failed, requirement, node)


def _judge(failed: StageFailed, requirement: str, node: NodeTarget) -> NoReturn:
    own = requirement_of(failed.stage, node)
    if own == requirement:
        raise CheckFailed(failed.code, failed.sentence) from failed
    raise Blocked(own, failed.sentence) from failed
