"""Run one of the release's own scripts: scrubbed environment, scratch home, limits, a deadline."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ovirt_release.errors import CheckFailed
from pytest_ovirt_release.local import processes
from pytest_ovirt_release.release.resolved import fill_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_ovirt_release.release.page import Script


@dataclass(frozen=True)
class ScriptResult:
    """How a script ended: exit status (negative: killed by a signal), what it said, how long it took in seconds."""

    command: tuple[str, ...]
    status: int
    output: str
    seconds: float
    timed_out: bool = False

    def __str__(self) -> str:
        how = "was stopped at its deadline" if self.timed_out else f"ended with status {self.status}"
        return f"{Path(self.command[0]).name} {how} after {self.seconds:.1f} s"


def run_script(  # noqa: PLR0913 - what a script is run with, no more
    script: Script,
    source: Path,
    out: Path,
    values: Mapping[str, str],
    *,
    deadline: float,
    extra_env: Mapping[str, str] | None = None,
) -> ScriptResult:
    """Run a script of the page from an unpacked tarball and return how it ended.

    Args:
        script: the page's entry; its own `deadline` holds when it is the shorter one.
        source: the unpacked tarball; it is the working directory.
        out: what `{out}` stands for.
        values: what the other names in `command` stand for.
        deadline: seconds; then the script and all it started are killed.
        extra_env: added to PATH, HOME, TMPDIR and the locale, which is all the script gets.

    Raises:
        CheckFailed: the tarball does not hold the script, or it lies outside of the tarball.
        ReleaseError: the page's command holds a name that nobody knows.
    """
    command = command_of(script, source, {**values, "out": str(out)})
    seconds = min(deadline, script.deadline)
    with tempfile.TemporaryDirectory(prefix="ovirt-script-", ignore_cleanup_errors=True) as home:
        env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": home, "TMPDIR": home, "LC_ALL": "C.UTF-8"}
        done = processes.run(
            command,
            deadline=seconds,
            env={**env, **(extra_env or {})},
            cwd=source,
            limits=processes.Limits(cpu_seconds=int(seconds) + 1),
        )
    return ScriptResult(tuple(command), done.status, done.output, done.seconds, done.timed_out)


def command_of(script: Script, source: Path, values: Mapping[str, str]) -> list[str]:
    """Return the command with every name filled in; its program is a file of the tarball or a name on PATH."""
    known = {**values, "source": str(source)}
    where = f"script of {script.component}"
    command = [fill_in(word, known, where) for word in script.command]
    if not command:
        raise CheckFailed("script-missing", f"{where}: the page gives no command")
    program = command[0]
    if "/" not in program:
        return command
    path = (source / program).resolve()
    if not path.is_relative_to(source.resolve()):
        raise CheckFailed(
            "script-outside-tarball", f"{program} does not lie in the tarball of {script.component}"
        )
    if not path.is_file():
        raise CheckFailed(
            "script-missing",
            f"the tarball of {script.component} holds no {path.relative_to(source.resolve())}",
        )
    return [str(path), *command[1:]]
