"""Real git repositories for tests, published to the test server; each commit is one day later than the last."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.checks.web import Web

DAY = 86_400
START = 1_325_376_000
"""2012-01-01 00:00:00 UTC."""


class Repository:
    """A bare repository below the server's /git/, filled from a work tree; each commit is one day later."""

    def __init__(self, web: Web, name: str, *, filters: bool = True) -> None:
        self.url = f"{web.url}/git/{name}"
        self.bare = web.root / "git" / name
        self.work = web.root / "work" / name
        self.work.mkdir(parents=True)
        self._day = 0
        self._run("init", "-q", "--bare", "--initial-branch=main", str(self.bare))
        self._run("init", "-q", "--initial-branch=main", ".")
        self._run("--git-dir", str(self.bare), "config", "uploadpack.allowFilter", str(filters).lower())

    def commit(self, **files: str) -> str:
        """Commit files (name with _ for .) and return the commit's id."""
        self._day += 1
        for name, content in files.items():
            (self.work / name.replace("_", ".")).write_text(content, encoding="utf-8")
        self._run("add", "-A")
        self._run("commit", "-q", "--allow-empty", "-m", "more")
        return self._run("rev-parse", "HEAD").strip()

    def git(self, *words: str) -> str:
        """Run git in the work tree."""
        return self._run(*words)

    def publish(self) -> None:
        """Push everything to the bare repository."""
        self._run("push", "-q", "--force", "--all", str(self.bare))
        self._run("push", "-q", "--force", "--tags", str(self.bare))

    def _run(self, *words: str) -> str:
        date = f"{START + self._day * DAY} +0000"
        people = {
            f"GIT_{who}_{what}": "t@example.org"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        env = {
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_DATE": date,
            **people,
        }
        return subprocess.run(
            ["git", *words], cwd=self.work, env=env, check=True, capture_output=True, text=True, timeout=30
        ).stdout
