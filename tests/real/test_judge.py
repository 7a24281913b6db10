"""The judge of real tarballs, on a Debian source package and an sdist that are made here."""

from __future__ import annotations

import gzip
import lzma
from typing import TYPE_CHECKING

import pytest

from tests.real.judge import KEY, main
from tests.unit.checks.signing import KeyRoom
from tests.unit.checks.tars import folder, member, tar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEAD = ["| tarball | as it is | its signature | one bit changed | its signature |", "|---|---|---|---|---|"]


@pytest.fixture(scope="module")
def room() -> Iterator[KeyRoom]:
    keys = KeyRoom()
    yield keys
    keys.close()


def source_package(place: Path, room: KeyRoom, signer: str, pinned: str) -> None:
    """Write what `apt-get source --download-only` brings: the tarball, its .asc, and packaging with upstream's key."""
    tarball = place / "hello_1.0.orig.tar.gz"
    tarball.write_bytes(gzip.compress(tar(folder("hello-1.0"), member("hello-1.0/README", b"hello\n" * 500))))
    room.sign(tarball, signer, options=("--digest-algo", "SHA512"), armor=True).rename(
        place / f"{tarball.name}.asc"
    )
    packaging = tar(member(KEY, room.export(pinned)))
    (place / "hello_1.0-1.debian.tar.xz").write_bytes(lzma.compress(packaging))


def sdist(place: Path) -> None:
    packed = gzip.compress(
        tar(folder("ovirt_x-2.5.1"), member("ovirt_x-2.5.1/PKG-INFO", b"Version: 2.5.1\n" * 99))
    )
    (place / "ovirt_x-2.5.1.tar.gz").write_bytes(packed)


def printed(place: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    main(place)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == HEAD
    return lines[2:]


def test_what_upstream_signed_is_accepted_and_one_bit_is_noticed(
    tmp_path: Path, room: KeyRoom, capsys: pytest.CaptureFixture[str]
) -> None:
    upstream = room.make_key("Upstream Author")
    source_package(tmp_path, room, upstream, upstream)
    sdist(tmp_path)
    assert printed(tmp_path, capsys) == [
        "| hello_1.0.orig.tar.gz | accepted | good-signature (SHA-512) | digest-differs | bad-signature |",
        "| ovirt_x-2.5.1.tar.gz | signature-missing | - | digest-differs | - |",
    ]


def test_a_key_that_debian_does_not_pin_is_a_strangers(
    tmp_path: Path, room: KeyRoom, capsys: pytest.CaptureFixture[str]
) -> None:
    source_package(tmp_path, room, room.make_key("Somebody Else"), room.make_key("Pinned Author"))
    (line,) = printed(tmp_path, capsys)
    assert line.startswith("| hello_1.0.orig.tar.gz | unknown-signer | unknown-signer ")
    assert "| digest-differs | " in line
    assert "good-signature" not in line
