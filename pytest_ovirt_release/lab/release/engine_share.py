"""What the lab's engine machine keeps where an installed engine does: certificates, upgrade scripts, psql, package versions."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.release.answer import Answer
from pytest_ovirt_release.local import processes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pytest_ovirt_release.local.postgres import Connection

PKI = "/etc/pki/ovirt-engine"
DBSCRIPTS = "/usr/share/ovirt-engine/dbscripts"
PSQL = f"{DBSCRIPTS}/engine-psql.sh"
UPGRADES = f"{DBSCRIPTS}/upgrade"
DATABASE = "engine"
PUBLIC = frozenset({"ca.pem", "certs/engine.cer"})


@dataclass
class EngineShare:
    """Files below `pki` and `source`; the database of `connection` once it is there; `packages` name → version."""

    pki: Path
    packages: Mapping[str, str] = field(default_factory=dict)
    source: Path | None = None
    connection: Connection | None = None

    def certificate(self, path: str) -> Answer | None:
        """Return a public certificate; nothing when the path is none of ours."""
        name = path.removeprefix(PKI + "/")
        if name not in PUBLIC or name == path or not (self.pki / name).is_file():
            return None
        return Answer((self.pki / name).read_text(encoding="ascii"))

    async def upgrades(self, words: Sequence[str]) -> Answer:
        """Answer `find UPGRADES … -exec md5sum …`: the digests of the installed upgrade scripts."""
        if self.source is None or UPGRADES not in words or "md5sum" not in words:
            return Answer(err="find: No such file or directory\n", status=1)
        files = sorted((self.source / "packaging/dbscripts/upgrade").glob("*.sql"))
        lines = [
            f"{hashlib.md5(f.read_bytes(), usedforsecurity=False).hexdigest()}  {UPGRADES}/{f.name}\n"
            for f in files
        ]
        return Answer("".join(lines))

    async def versions(self, words: Sequence[str]) -> Answer:
        """Answer `rpm -q --qf … PACKAGE…`."""
        names = [w for w in words if w in self.packages]
        unknown = [w for w in words if not w.startswith(("-", "%")) and w not in self.packages]
        out = [f"{name} 0:{self.packages[name]}\n" for name in names]
        out += [f"package {name} is not installed\n" for name in unknown]
        return Answer("".join(out), status=len(unknown))

    async def psql(self, words: Sequence[str]) -> Answer:
        """Run psql on the engine's database, as the engine's own wrapper does: its output and always status 0."""
        where = self.connection
        if where is None:
            return Answer(out="psql: error: connection to server failed\n")
        login = [
            f"--host={where.host}",
            f"--port={where.port}",
            f"--username={where.user}",
            f"--dbname={DATABASE}",
        ]
        env = {"HOME": str(self.pki), **where.environment()}
        done = await asyncio.to_thread(
            processes.run, ["psql", *login, *words], deadline=30, env=env, cwd=self.pki
        )
        return Answer(done.output)
