"""Hands a verdict to the GitHub Actions job that this process runs in, if it runs in one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ovirt_release.report import github

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_ovirt_release.verdict.model import Verdict


def tell(verdict: Verdict, environment: Mapping[str, str], say: Callable[[str], object]) -> None:
    """Say the annotations and append to the job's summary; nothing at all outside of GitHub Actions.

    A summary that cannot be written is one warning: it changes no verdict and no exit code.
    """
    if environment.get("GITHUB_ACTIONS") != "true":
        return
    for line in github.workflow_commands(verdict):
        say(line)
    place = environment.get("GITHUB_STEP_SUMMARY")
    if not place:
        return
    try:
        with Path(place).open("a", encoding="utf-8") as file:
            file.write(github.summary(verdict, file.tell()))
    except OSError as error:
        say(github.command("warning", "Summary", f"the job's summary cannot be written: {error.strerror}"))
