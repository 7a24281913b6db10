"""Tarballs of a component: the same bytes for the same tree, version and date."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_ovirt_release.lab.release.plan import Plan
    from pytest_ovirt_release.lab.release.sources import Tree


def source_tarball(plan: Plan, faults: frozenset[str]) -> bytes:
    """Return the tarball of the release commit's tree, plus the files that the page says are generated.

    Under the fault `tarball-differs-from-tag` ovirt-node's holds one file more.
    """
    files = dict(plan.tree)
    for name in plan.generated:
        if not set(name) & set("*?["):
            files.setdefault(name, (b"# made for the tarball\n", 0o644))
    if "tarball-differs-from-tag" in faults and plan.name == "ovirt-node":
        files["src/slipped_in.py"] = (b'"""Nobody committed this."""\n', 0o644)
    return pack(plan.top_folder, files, plan.moments.tagged)


def binary_tarball(plan: Plan) -> bytes:
    """Return what a build of the component would leave: programs below usr/, and the version."""
    module = plan.name.replace("-", "_")
    files: Tree = {
        f"usr/bin/{plan.name}": (f'#!/bin/sh\necho "{plan.name} {plan.version}"\n'.encode(), 0o755),
        f"usr/lib/{module}/__init__.py": (f'VERSION = "{plan.version}"\n'.encode(), 0o644),
        f"usr/share/doc/{plan.name}/VERSION": (f"{plan.version}\n".encode(), 0o644),
    }
    return pack(plan.top_folder, files, plan.moments.tagged)


def pack(top: str, files: Tree, when: datetime) -> bytes:
    """Return a reproducible .tar.gz of `files` below one top folder ("": none), dated `when`, owned by root."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for folder in _folders(top, files):
            entry = _entry(folder, when, 0o755)
            entry.type = tarfile.DIRTYPE
            archive.addfile(entry)
        for path, (content, mode) in sorted(files.items()):
            entry = _entry(f"{top}/{path}" if top else f"./{path}", when, mode)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), compresslevel=6, mtime=0)


def _folders(top: str, files: Tree) -> list[str]:
    found = {top} if top else set()
    for path in files:
        parts = path.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            below = "/".join(parts[:depth])
            found.add(f"{top}/{below}" if top else f"./{below}")
    return sorted(found)


def _entry(name: str, when: datetime, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.mtime = int(when.timestamp())
    entry.mode = mode
    entry.uname = entry.gname = "root"
    return entry
