"""The stages of every node, once per run: unknown → registered → approved → up → storage attached.

Whichever test first needs a stage performs it, in whatever process; a lock for each node keeps the others
waiting, and the state file in the run folder tells them how it ended. A failed stage stays failed.
"""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.adopted import adopt, standing
from pytest_ovirt_release.checks.parts import Parts
from pytest_ovirt_release.checks.stage_steps import Steps
from pytest_ovirt_release.checks.stages import (
    STAGES,
    NodeState,
    StageFailed,
    StageRecord,
    as_record,
    raise_unless_passed,
    read_state,
    write_state,
)
from pytest_ovirt_release.checks.turning import ONE_AFTER_THE_OTHER, leave, sentence, turned
from pytest_ovirt_release.errors import Unproven, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_ovirt_release.checks.engine import Engine, Host
    from pytest_ovirt_release.checks.ledger import Ledger
    from pytest_ovirt_release.checks.stages import Stage
    from pytest_ovirt_release.target.model import NodeTarget, StorageKind, Target


class Cycle:
    """The run's nodes. Each method brings a node as far as asked and returns what is known of it.

    They raise StageFailed for a stage that does not hold, Blocked for a node that must not be touched, and
    Unproven for what could not be tried; `stages.judging` turns StageFailed into a requirement's verdict.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the run's own parts; one fixture hands them in
        self,
        target: Target,
        engine: Engine,
        ledger: Ledger,
        run_folder: Path,
        write: Callable[..., None],
        met: Callable[[str, str], None],
        say: Callable[[str], None] | None = None,
        gate: Callable[[Stage, NodeTarget], None] | None = None,
    ) -> None:
        """Take the target, the engine, the ledger, the run folder, the journal's write and `met`.

        `gate` is asked before each stage, and raises what stands against it.
        """
        folder = run_folder / "nodes"
        folder.mkdir(exist_ok=True)
        self.parts = Parts(target, engine, ledger, folder, met, say)
        self._write = write
        self._gate = gate
        self._steps = Steps(self.parts)

    def registered(self, node: NodeTarget) -> NodeState:
        """Bring the node to where it asks for approval."""
        return self._reach(node, "registered")

    def approved(self, node: NodeTarget) -> NodeState:
        """Bring the node to where the engine has installed it."""
        return self._reach(node, "approved")

    def up(self, node: NodeTarget) -> NodeState:
        """Bring the node up and see it staying up: storage is attempted first, then it is looked at again.

        A host can be up for an instant and then non_operational, so `up` is judged from its states and events
        over the rest of the cycle; whether the storage itself came to be is not judged here.
        """
        self._reach(node, "up")
        with suppress(StageFailed, Unproven):  # judged by who asks for the storage
            self._reach(node, "storage")
        self.look_again(node)
        return self._reach(node, "up")

    @contextmanager
    def lease(self, node: NodeTarget, kind: StorageKind | None = None) -> Iterator[NodeTarget]:
        """Lend a node to one test, as one that serves the kind (None: whichever it serves now) and no other.

        Only a node that serves both has to be waited for: its tests go one after the other.
        """
        if node.storage != "both":
            yield node
            return
        with self.parts.locked(f"{node.name}.lease"):
            yield node.at(kind) if kind else self._standing(node)

    def _standing(self, node: NodeTarget) -> NodeTarget:
        """Return a node as one that serves what it serves now, or will first."""
        if node.storage != "both":
            return node
        return node.at("local" if read_state(self._path(node), node.name).serves == "local" else "nfs")

    def storage(self, node: NodeTarget) -> NodeState:
        """Bring the node to where its storage domain is active."""
        return self._reach(node, "storage")

    def serving(self, node: NodeTarget) -> NodeState:
        """Bring the node to where a smoke test can use its storage; one that is up already is used as it stands."""
        with self.parts.locked(node.name):
            own = read_state(self._path(node), node.name).stages.get("registered")
            is_ours = own is not None and own.outcome != "blocked"
            path = self.parts.folder / f"{node.name}.adopted.json"
            host = None if is_ours else standing(self.parts, node)
            if host is not None or path.exists():
                return self._adopted(path, node, host)
        return self.storage(node)

    def _adopted(self, path: Path, node: NodeTarget, host: Host | None) -> NodeState:
        state = read_state(path, node.name)
        cause: Exception | None = None
        if host is not None and state.serves != node.storage:
            try:
                if self._gate is not None:
                    self._gate("storage", node)
                state = self._steps.perform("storage", node, self._adopt(node, state, host))
            except Exception as error:  # noqa: BLE001 - however it ended, it is recorded; later tests read it
                known = {"serves": node.storage, "host_id": host.id}
                state, cause = state.with_stage("storage", as_record(error), **known), error
            self._save(path, state, "storage", state.stages["storage"])
        if state.serves != node.storage:
            raise Unproven(
                f"host {state.host_name} is not up any more, so it cannot serve {node.storage} storage"
            )
        raise_unless_passed("storage", state.stages["storage"], cause)
        return state

    def _adopt(self, node: NodeTarget, state: NodeState, host: Host) -> NodeState:
        if not state.serves:
            return adopt(self.parts, node, host)
        self._say_turned(node, state)
        leave(self.parts, node, host.id)
        back = standing(self.parts, node)
        if back is None:
            raise Unproven(f"host {host.name} did not come back up")
        return adopt(self.parts, node, back)

    def look_again(self, node: NodeTarget) -> None:
        """Read host and events once more; a host that left `up` since it came up turns the stage failed."""
        with self.parts.locked(node.name):
            path = self._path(node)
            state = read_state(path, node.name)
            if "up" in state.stages and state.stages["up"].outcome == "passed":
                self._keep_watch(path, state)

    def _keep_watch(self, path: Path, state: NodeState) -> NodeState:
        if state.is_moving:
            return state
        sentence = self._steps.left_up(state)
        if sentence is None:
            return state
        record = replace(state.stages["up"], outcome="failed", code="host-left-up", sentence=sentence)
        state = state.with_stage("up", record)
        self._save(path, state, "up", record)
        return state

    def _reach(self, node: NodeTarget, wanted: Stage) -> NodeState:
        with self.parts.locked(node.name):
            path, node = self._path(node), self._standing(node)
            state = read_state(path, node.name)
            for stage in STAGES[: STAGES.index(wanted) + 1]:
                if stage == "storage" and (state.is_moving or state.serves != node.storage):
                    state = self._turn(path, node, state)
                if stage not in state.stages:
                    state = self._perform(path, node, stage, state)
                raise_unless_passed(stage, state.stages[stage])
            return state

    def _turn(self, path: Path, node: NodeTarget, state: NodeState) -> NodeState:
        """Let a node leave the storage it serves for its other kind; what of that breaks off is tried again."""
        if self._gate is not None:
            self._gate("storage", node)
        state = self._keep_watch(path, state)  # judged until now: it leaves because we want it to
        raise_unless_passed("up", state.stages["up"])
        if state.serves != node.storage:  # else it comes back from a move that broke off
            self._say_turned(node, state)
        stages = {stage: record for stage, record in state.stages.items() if stage != "storage"}
        state = replace(state, stages=stages, is_moving=True)
        write_state(path, state)
        state = turned(self.parts, node, state)
        write_state(path, state)
        return state

    def _say_turned(self, node: NodeTarget, state: NodeState) -> None:
        said = sentence(node, state.serves)
        if self.parts.say is not None:
            self.parts.say(said)
        self._write("fact", key=ONE_AFTER_THE_OTHER, value=said, source="the target file")

    def _perform(self, path: Path, node: NodeTarget, stage: Stage, state: NodeState) -> NodeState:
        if self.parts.say is not None:
            self.parts.say(f"{node.name}: {stage} …")
        start, cause = time.monotonic(), None
        try:
            if self._gate is not None:
                self._gate(stage, node)
            state = self._steps.perform(stage, node, state)
        except Exception as error:  # noqa: BLE001 - however it ended, it is recorded; later tests read it
            state, cause = state.with_stage(stage, as_record(error)), error
        record = replace(state.stages[stage], seconds=round(time.monotonic() - start, 3))
        state = state.with_stage(stage, record)
        self._save(path, state, stage, record)
        if stage == "storage":
            # What made the storage fail may be that the host did not stay up: then that is what failed.
            with suppress(Unreachable):
                state = self._keep_watch(path, state)
            raise_unless_passed("up", state.stages["up"])
        raise_unless_passed(stage, record, cause)
        return state

    def _save(self, path: Path, state: NodeState, stage: Stage, record: StageRecord) -> None:
        write_state(path, state)
        self._write(
            "stage",
            node=state.node,
            stage=stage,
            outcome=record.outcome,
            why=record.sentence,
            seconds=record.seconds,
        )

    def _path(self, node: NodeTarget) -> Path:
        return self.parts.folder / f"{node.name}.json"
