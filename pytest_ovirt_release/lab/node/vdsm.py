"""vdsm of one node: it answers calls by the name of their verb, or hangs, or is not there at all.

What a call carries and brings back is JSON in vdsm's own names and shapes, so that a real engine could make the
same calls once somebody puts vdsm's STOMP in front. The lab's engine makes them in process.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

from pytest_ovirt_release.lab.node.verbs import VdsmError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from pytest_ovirt_release.lab.node.verbs import Params

    Verb = Callable[[Params], Awaitable[Any]]

METHOD_NOT_FOUND, INVALID_PARAMS, UNKNOWN_TASK = -32601, -32602, 401


class Vdsm:
    """The verbs of a node, and whether somebody is there to answer."""

    def __init__(self, table: Mapping[str, Verb]) -> None:
        """Take the verbs by name; they answer at once, for an engine may begin to ask before the node's ports are open."""
        self._table = table
        self._here = True
        self._awake = asyncio.Event()
        self._awake.set()

    @property
    def beating(self) -> bool:
        """Whether heart-beats are sent: a process that hangs sends none."""
        return self._here and self._awake.is_set()

    @property
    def running(self) -> bool:
        """Whether the service runs, be it that it hangs."""
        return self._here

    @property
    def verbs(self) -> tuple[str, ...]:
        """The names of the verbs."""
        return tuple(sorted(self._table))

    def start(self) -> None:
        """Begin to answer."""
        self._here = True
        self._awake.set()

    def stop(self) -> None:
        """Be gone: connections are refused."""
        self._here = False
        self._awake.set()

    def hang(self) -> None:
        """Take calls and answer none, until `resume`."""
        self._awake.clear()

    def resume(self) -> None:
        """Answer again, also what was asked meanwhile."""
        self._awake.set()

    async def call(self, method: str, params: Params) -> Any:  # noqa: ANN401 - each verb has an answer of its own
        """Return a verb's result; VdsmError as vdsm says it, ConnectionRefusedError when nobody is there."""
        await self._awake.wait()
        if not self._here:
            raise ConnectionRefusedError(f"nobody listens: {method}")
        verb = self._table.get(method)
        if verb is None:
            text = f"The method does not exist or is not available: {{'method': '{method}'}}"
            raise VdsmError(METHOD_NOT_FOUND, text)
        try:
            return await verb(params)
        except KeyError as missing:
            raise VdsmError(INVALID_PARAMS, f"Invalid method parameters: {missing} of {method}") from missing


class Tasks:
    """The storage tasks of a node: done when their verb returns, kept until they are cleared."""

    def __init__(self) -> None:
        """Begin without a task."""
        self._tasks: dict[str, dict[str, Any]] = {}

    def run(self, work: Callable[[], None]) -> str:
        """Do a task's work and return its id; what goes wrong is the task's result, not the verb's."""
        task_id = str(uuid.uuid4())
        code, message, result = 0, "1 jobs completed successfully", "success"
        try:
            work()
        except VdsmError as error:
            code, message, result = error.code, error.message, "cleanFailure"
        self._tasks[task_id] = {
            "code": code,
            "message": message,
            "taskID": task_id,
            "taskResult": result,
            "taskState": "finished",
        }
        return task_id

    async def statuses(self, _params: Params) -> dict[str, dict[str, Any]]:
        """Host.getAllTasksStatuses."""
        return dict(self._tasks)

    async def status(self, params: Params) -> dict[str, Any]:
        """Task.getStatus."""
        return self._task(params["taskID"])

    async def clear(self, params: Params) -> bool:
        """Task.clear."""
        del self._tasks[self._task(params["taskID"])["taskID"]]
        return True

    def _task(self, task_id: str) -> dict[str, Any]:
        if task_id not in self._tasks:
            raise VdsmError(UNKNOWN_TASK, f"Task id unknown: {{'task_id': '{task_id}'}}")
        return self._tasks[task_id]
