"""Tar archives for tests, member by member: good ones and those nobody should unpack."""

from __future__ import annotations

import io
import tarfile
from typing import Any


def member(name: str, content: bytes = b"x", **fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(info, field, value)
    if info.isreg():
        info.size = fields.get("size", len(content))
    return info, content if info.isreg() else b""


def tar(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.GNU_FORMAT) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=form) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return raw.getvalue()


def folder(name: str) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, type=tarfile.DIRTYPE, mode=0o755)


def good() -> bytes:
    return tar(
        folder("vdsm-4.9.3"),
        member("vdsm-4.9.3/VERSION", b"4.9.3\n"),
        member("vdsm-4.9.3/run", b"#!/bin/sh\n", mode=0o755),
        member("vdsm-4.9.3/link", type=tarfile.SYMTYPE, linkname="run"),
    )
