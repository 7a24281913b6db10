"""Bare git repositories with a history that is dated, made in one `git fast-import` each.

History of a component: work on main; the release commit, which the tag names; from there the release branch
with a first commit of its own, while main opens the next version.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from pytest_ovirt_release.errors import ReleaseError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from pytest_ovirt_release.lab.release.plan import Plan
    from pytest_ovirt_release.lab.release.sources import Tree

DEADLINE = 30
"""Seconds that one git command may take."""

PERSON = "oVirt lab <lab@ovirt.invalid>"

START, RELEASE, RETAGGED, NEXT, BRANCH = 1, 2, 3, 4, 5
"""Marks of the commits in the import stream."""

CONFIG = """[uploadpack]
\tallowFilter = true
\tallowAnySHA1InWant = true
[http]
\treceivepack = false
"""


def make_repository(path: Path, plan: Plan, faults: frozenset[str]) -> str:
    """Make the bare repository of a component; return the commit its release was made from.

    Args:
        path: The repository's folder; its parent may be missing.
        plan: What to put into it.
        faults: Names of the lab's faults; `untagged-component` and `tag-on-other-commit` are shown here.

    Raises:
        ReleaseError: git is missing, failed or did not end in time.
    """
    path.mkdir(parents=True)
    _git(path, "init", "--bare", "--quiet", "--initial-branch=main", ".")
    with (path / "config").open("a") as config:
        config.write(CONFIG)
    marks = path / "lab-marks"
    stream = history(plan, tagged=_has_tag(plan, faults), moved=_has_moved_tag(plan, faults))
    _git(path, "fast-import", "--quiet", f"--export-marks={marks.name}", feed=stream)
    commits = dict(line.split() for line in marks.read_text().splitlines())
    marks.unlink()
    return str(commits[f":{RELEASE}"])


def history(plan: Plan, *, tagged: bool = True, moved: bool = False) -> bytes:
    """Return the fast-import stream of a component's repository."""
    when = plan.moments
    first = {
        path: content for path, content in plan.tree.items() if path.startswith(("README", "COPYING", "src/"))
    }
    # A tag that was moved names a commit of the same tree, so that nothing but the commit differs.
    named = RETAGGED if moved else RELEASE
    parts = [
        _commit("refs/heads/main", START, when.started, f"Start {plan.name}", first),
        _commit("refs/heads/main", RELEASE, when.tagged, f"Release {plan.name} {plan.version}", plan.tree),
        _commit("refs/heads/main", RETAGGED, when.tagged, "Rebuild, nothing changed", None) if moved else b"",
        _commit(
            "refs/heads/main",
            NEXT,
            when.branched,
            "Open the next version",
            {"NEWS": (b"Next version\n", 0o644)},
        ),
        f"reset refs/heads/{plan.branch}\nfrom :{named}\n\n".encode(),
        _commit(
            f"refs/heads/{plan.branch}",
            BRANCH,
            when.branched,
            f"Start branch {plan.branch}",
            {"BRANCH": (f"{plan.branch}\n".encode(), 0o644)},
        ),
    ]
    if tagged:
        parts.append(_tag(plan, named))
    return b"".join(parts)


def _commit(ref: str, mark: int, when: datetime, message: str, files: Tree | None) -> bytes:
    lines = [
        f"commit {ref}\nmark :{mark}\n".encode(),
        f"author {PERSON} {int(when.timestamp())} +0000\n".encode(),
        f"committer {PERSON} {int(when.timestamp())} +0000\n".encode(),
        _data(message.encode() + b"\n"),
    ]
    for path, (content, mode) in sorted((files or {}).items()):
        lines.append(f"M {'100755' if mode & 0o100 else '100644'} inline {path}\n".encode())
        lines.append(_data(content))
    return b"".join([*lines, b"\n"])


def _tag(plan: Plan, named: int) -> bytes:
    if not plan.annotated:
        return f"reset refs/tags/{plan.tag}\nfrom :{named}\n\n".encode()
    tagger = f"tagger {PERSON} {int(plan.moments.tagged.timestamp())} +0000\n"
    head = f"tag {plan.tag}\nfrom :{named}\n{tagger}".encode()
    return head + _data(f"{plan.name} {plan.version}\n".encode())


def _data(content: bytes) -> bytes:
    return b"data %d\n%b\n" % (len(content), content)


def _has_tag(plan: Plan, faults: frozenset[str]) -> bool:
    return not ("untagged-component" in faults and plan.name == "vdsm")


def _has_moved_tag(plan: Plan, faults: frozenset[str]) -> bool:
    return "tag-on-other-commit" in faults and plan.name == "ovirt-engine"


def environment() -> dict[str, str]:
    """Return an environment in which nobody's own git settings count."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C",
        "HOME": "/nonexistent",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
    }


def _git(folder: Path, *words: str, feed: bytes | None = None) -> None:
    try:
        done = subprocess.run(
            ["git", *words],
            cwd=folder,
            env=environment(),
            input=feed if feed is not None else b"",
            capture_output=True,
            timeout=DEADLINE,
            check=False,
        )
    except FileNotFoundError as error:
        raise ReleaseError(
            "the lab needs git, and git is not installed: install the package `git`"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise ReleaseError(f"git {words[0]} in {folder} did not end within {DEADLINE} s") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise ReleaseError(f"git {words[0]} in {folder} failed with code {done.returncode}: {said}")
