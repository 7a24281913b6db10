"""What a lab's node understands of the shell's language, held against a real shell where both do."""

from __future__ import annotations

import asyncio
import subprocess

import pytest

from pytest_ovirt_release.lab.node.lists import run_list
from pytest_ovirt_release.lab.node.shell import Result


def here(script: str, *words: str) -> Result:
    """Run a list with commands that say what they were given."""

    async def execute(argv: list[str]) -> Result:
        match argv:
            case ["echo", *said]:
                return Result(0, " ".join(said) + "\n")
            case ["true"]:
                return Result(0)
            case _:
                return Result(1)

    return asyncio.run(run_list(script, words, execute))


@pytest.mark.parametrize(
    "script",
    [
        "echo a && echo b",
        "false && echo b",
        "false || echo b",
        "true || echo b && echo c",
        "false && echo a || echo b",
        "false || exit 3\necho never",
        "true || exit 3\necho then",
        "echo 'a  b' \"$1\" && echo $2",
        "echo a\n\nfalse",
        'echo "$1|$2"',
    ],
)
def test_a_list_does_what_a_shell_does(script: str) -> None:
    words = ("one two", "-x")
    real = subprocess.run(
        ["sh", "-c", script, "sh", *words], capture_output=True, text=True, timeout=20, check=False
    )
    found = here(script, *words)
    assert (found.status, found.stdout) == (real.returncode, real.stdout)


@pytest.mark.parametrize(
    "script",
    [
        "echo $(reboot)",
        "echo `reboot`",
        "true; reboot",
        "cat x > y",
        "true | cat",
        "true & true",
        "true &&",
        "echo 'a",
    ],
)
def test_what_is_more_than_a_list_is_refused_and_nothing_runs(script: str) -> None:
    found = here(script)
    assert (found.status, found.stdout) == (2, "")
    assert "syntax error" in found.stderr
