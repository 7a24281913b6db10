"""The target file: which engine, nodes and storage a run is pointed at."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - pydantic reads the annotations when the module is loaded
from typing import Literal

from pydantic import Field, PositiveInt

from pytest_ovirt_release.release.model import Seconds, Sha256, Slug, Strict, Text


class SshTarget(Strict):
    """How to reach one machine over SSH; `host_key` is its pinned public key line (`ssh-ed25519 AAAA…`).

    `proxy_jump`: the machine that the way leads through, with a pinned key of its own.
    """

    address: Text
    port: PositiveInt = 22
    user: Text = "root"
    key_file: Path | None = None
    password_file: Path | None = None
    password_env: str | None = None
    host_key: Text
    proxy_jump: SshTarget | None = None


class EngineTarget(Strict):
    """The engine: API address, CA file, user, and where the password comes from (never the password).

    With `ca_sha256`, the CA's fingerprint, a CA file that is not there is fetched from the engine once. `proxy`
    is used for the engine and its image transfers; proxy variables of the environment never are.
    """

    url: Text
    ca_file: Path
    ca_sha256: Sha256 | None = None
    proxy: Text | None = None
    user: Text = "admin@internal"
    password_file: Path | None = None
    password_env: str | None = None
    ssh: SshTarget | None = None


StorageKind = Literal["nfs", "local"]


class NodeTarget(Strict):
    """One node: how it registers (by itself, or by the command that we run over SSH) and what it serves.

    `address` is what the engine shall know it by. `cluster` is an existing cluster to approve it into; without it the
    run makes one. `may_move` allows an existing host to be moved to a local data center. The only node of a target may
    serve `both` kinds of storage, one after the other: in between it is moved.
    """

    name: Slug
    address: Text
    ssh: SshTarget
    registered_by: Literal["node", "command"] = "command"
    storage: Literal["nfs", "local", "both"]
    cluster: Text | None = None
    may_move: bool = False

    def serves(self, kind: StorageKind) -> bool:
        """Return whether a kind of storage is tested on it."""
        return self.storage in {kind, "both"}

    def at(self, kind: StorageKind) -> NodeTarget:
        """Return this node as one that serves this kind only."""
        return self.model_copy(update={"storage": kind})


class NfsTarget(Strict):
    """The NFS export the storage domain is made on; it must be empty. `options` are further mount options."""

    address: Text
    path: Text
    version: Literal["auto", "v3", "v4", "v4_0", "v4_1", "v4_2"] = "auto"
    options: Text | None = None


class StorageTarget(Strict):
    """The storage under test: one NFS export and one directory on the node that serves local storage."""

    nfs: NfsTarget | None = None
    local_path: Text | None = None


class Deadlines(Strict):
    """Longest waits in seconds for each kind of wait on a live engine."""

    request: Seconds = 60
    restart: Seconds = 180
    registration: Seconds = 300
    approve: Seconds = 1800
    host_up: Seconds = 900
    storage: Seconds = 300
    disk: Seconds = 300
    guest: Seconds = 300
    removal: Seconds = 600
    ssh: Seconds = 60
    script: Seconds = 600
    download: Seconds = 900


class Target(Strict):
    """A target file. Relative paths in it start at the file's own folder.

    `mirrors` are other addresses of the page's places (a mirror, a staging area): the candidate's digests hold there
    just as well.
    """

    schema_name: Literal["ovirt-release-target/1"] = Field(alias="schema")
    name: Slug
    candidate: Path | None = None
    page_overlay: Path | None = None
    mirrors: dict[str, Text] = Field(default_factory=dict)
    run_release_scripts: bool = False
    database: str | None = None
    engine: EngineTarget
    nodes: tuple[NodeTarget, ...] = Field(min_length=1)
    storage: StorageTarget
    deadlines: Deadlines = Deadlines()
