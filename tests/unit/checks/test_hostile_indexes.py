"""Package indexes that strangers wrote: refused with a reason or read, whatever the bytes; never a pass, never much memory."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

import pytest
from debian.deb822 import Deb822
from hypothesis import given
from hypothesis import strategies as st

from pytest_ovirt_release.checks.packages import deb, rpm
from pytest_ovirt_release.checks.packages.common import Listed, Wanted
from pytest_ovirt_release.errors import CheckFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


DIGEST = "ab" * 32
STANZA = (
    f"Package: vdsm\nVersion: 1-1\nArchitecture: amd64\nFilename: pool/v.deb\nSize: 7\nSHA256: {DIGEST}\n"
)
OPENS = '<metadata xmlns="http://linux.duke.edu/metadata/common">'
ENTRY = (
    f'<package type="rpm"><name>vdsm</name><arch>noarch</arch><version epoch="0" ver="1" rel="1"/>'
    f'<checksum type="sha256">{DIGEST}</checksum><size package="7"/><location href="p/v.rpm"/></package>'
)
PRIMARY = f"{OPENS}{ENTRY}</metadata>"
REPOMD = (
    '<repomd xmlns="http://linux.duke.edu/metadata/repo"><revision>1325376000</revision><data type="primary">'
    f'<checksum type="sha256">{DIGEST}</checksum><open-checksum type="sha256">{DIGEST}</open-checksum>'
    '<location href="repodata/primary.xml.gz"/><size>7</size></data></repomd>'
)
Read = tuple[tuple[Wanted, Listed], ...]


def read(
    entries: Callable[[Path], Iterator[tuple[Wanted, Listed]]],
    content: bytes,
    factory: pytest.TempPathFactory,
) -> Read:
    """Read bytes as an index; a refusal gives nothing, and has one of the reasons for unreadable metadata."""
    path = factory.mktemp("index") / "file"
    path.write_bytes(content)
    found = []
    try:
        for wanted, listed in entries(path):
            found.append((wanted, listed))
    except CheckFailed as error:
        assert error.code in {"metadata-broken", "unsafe-location"}  # noqa: PT017 - reading it is fine as well
        return ()
    return tuple(found)


def damaged(good: str) -> st.SearchStrategy[bytes]:
    """Return good bytes with a few pieces cut out, doubled or replaced."""
    piece = st.tuples(st.integers(0, len(good)), st.integers(0, 40), st.binary(max_size=12))

    def harm(pieces: list[tuple[int, int, bytes]]) -> bytes:
        data = good.encode()
        for start, length, new in pieces:
            data = data[:start] + new + data[start + length :]
        return data

    return st.lists(piece, min_size=1, max_size=4).map(harm)


@given(content=st.one_of(st.binary(max_size=600), damaged(STANZA), damaged(STANZA + "\n" + STANZA)))
def test_any_bytes_as_packages_file(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    for _, listed in read(deb.entries, content, tmp_path_factory):
        assert listed.size >= -1


@given(content=st.one_of(st.binary(max_size=600), damaged(PRIMARY)))
def test_any_bytes_as_primary(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    for _, listed in read(rpm.entries, content, tmp_path_factory):
        assert listed.size >= -1


@given(content=st.one_of(st.binary(max_size=600), damaged(REPOMD)))
def test_any_bytes_as_repomd(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What is read of a damaged file is either refused here, or refused as a weak digest by the next step."""
    path = tmp_path_factory.mktemp("repomd") / "repomd.xml"
    path.write_bytes(content)
    try:
        dated, listed, opened = rpm.read_repomd(path)
    except CheckFailed as error:
        assert error.code in {  # noqa: PT017 - reading it is fine as well
            "metadata-broken",
            "index-missing",
            "weak-digest",
            "unsafe-location",
        }
    else:
        assert dated is None or dated.tzinfo is not None
        assert opened.is_strong
        assert listed.size >= -1


@given(
    content=st.one_of(
        st.binary(max_size=600),
        damaged(f"Suite: s\nDate: Sat, 01 Jan 2022 00:00:00 UTC\nSHA256:\n {DIGEST} 7 main/Packages.gz\n"),
    )
)
def test_any_bytes_as_release_file(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("release") / "Release"
    path.write_bytes(content)
    try:
        release = next(deb.stanzas(path), Deb822())
        deb.date_of(release, "Date")
        sums = deb.sums_of(release)
    except CheckFailed as error:
        assert error.code in {"metadata-broken", "metadata-undated", "weak-digest"}  # noqa: PT017 - reading it is fine
    else:
        assert all(listed.size >= -1 for listed in sums.values())


@given(name=st.text(max_size=40), href=st.text(max_size=60), size=st.text(max_size=30))
def test_any_values_in_a_primary_come_back_as_they_are(
    name: str, href: str, size: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    entry = (
        ENTRY.replace('href="p/v.rpm"', f"href={quoteattr(href)}")
        .replace('package="7"', f"package={quoteattr(size)}")
        .replace('ver="1"', f"ver={quoteattr(name)}")
    )
    content = f"{OPENS}{entry}</metadata>".encode("utf-8", "surrogatepass")
    for _, listed in read(rpm.entries, content, tmp_path_factory):
        assert listed.size == (int(size) if size.isascii() and size.isdigit() and len(size) < 20 else -1)


HUGE = {
    "one entry without an end": (deb.entries, b"Package: vdsm\n" + b" x\n" * 2_900_000),
    "one line without an end": (deb.entries, b"Package: " + b"x" * 9_000_000),
    "a package of millions of elements": (rpm.entries, f"{OPENS}<package>".encode() + b"<a/>" * 600_000),
    "elements in elements": (rpm.entries, b"<a>" * 1_000),
}


@pytest.mark.parametrize("case", HUGE)
def test_one_huge_entry_is_refused(case: str, tmp_path: Path) -> None:
    entries, content = HUGE[case]
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(CheckFailed) as caught:
        list(entries(path))
    assert caught.value.code == "metadata-broken"


@pytest.mark.parametrize(
    ("entries", "content"),
    [
        (deb.entries, (STANZA + "\n").encode() * 4_000),
        (rpm.entries, f"{OPENS}{ENTRY * 4_000}</metadata>".encode()),
        (rpm.entries, f"{OPENS}{'<package/>' * 100_000}</metadata>".encode()),
        (rpm.entries, f"{OPENS}{'<x/>' * 150_000}</metadata>".encode()),
    ],
    ids=["packages", "primary", "empty packages", "other elements"],
)
def test_many_entries_are_read_one_at_a_time(
    entries: Callable[[Path], Iterator[tuple[Wanted, Listed]]], content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with suppress(StopIteration):
            for _ in entries(path):
                pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * 1024 * 1024, f"{peak} bytes were held for an index of {len(content)}"
