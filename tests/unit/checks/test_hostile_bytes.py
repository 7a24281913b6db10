"""Whatever bytes a server sends, each parser gives an answer or a reason code, in bounded memory, and never a pass."""

from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pytest_ovirt_release.checks.checksums import must_be_listed
from pytest_ovirt_release.checks.expand import Caps
from pytest_ovirt_release.checks.git import listed_refs
from pytest_ovirt_release.checks.git_scratch import OBJECT_ID
from pytest_ovirt_release.checks.notes_sources import mail_text, split_mbox
from pytest_ovirt_release.checks.openpgp_packets import NotOpenPgp, key_packets, packets, signature_packets
from pytest_ovirt_release.checks.openpgp_prefix import signs_these_bytes
from pytest_ovirt_release.checks.tag_object import parse_tag
from pytest_ovirt_release.checks.tree_version import must_be_version, spec_version
from pytest_ovirt_release.checks.unpacking import unpack
from pytest_ovirt_release.errors import CheckFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OID = "0123456789abcdef" * 2 + "01234567"
REF = "refs/tags/v1"
TOP = "vdsm-4.9.3"
TAG = f"object {OID}\ntype commit\ntag v1\ntagger a <a@b> 1 +0000\n\nrelease\n".encode()
SIGNATURE = b"-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n"

in_one_folder = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)


def mutated(*good: bytes) -> st.SearchStrategy[bytes]:
    """Return anything, and good bytes with a piece of anything put in, over or instead of a part."""

    def spoil(base: bytes, at: int, length: int, piece: bytes) -> bytes:
        at %= len(base) + 1
        return base[:at] + piece + base[at + length :]

    spoilt = st.builds(
        spoil, st.sampled_from(good), st.integers(0, 4000), st.integers(0, 40), st.binary(max_size=40)
    )
    return st.binary(max_size=600) | spoilt


def refusal(call: Callable[[], object]) -> str | None:
    """Return the reason code with which a call refuses, None when it does not; any other error is the test's."""
    try:
        call()
    except (CheckFailed, NotOpenPgp) as error:
        return error.code
    return None


# ---- git ---------------------------------------------------------------------------------------------------


@given(mutated(f"{OID}\t{REF}\n{OID}\t{REF}^{{}}\n".encode(), f"{OID}\trefs/heads/b\n".encode()))
@example(f"{OID}\t{REF}\r\n".encode())
@example(f"{OID}\t{REF}\0\n".encode())
def test_only_lines_of_an_object_id_and_exactly_the_wanted_name_are_refs(said: bytes) -> None:
    wanted = [REF, f"{REF}^{{}}"]
    found = listed_refs(said, wanted)
    lines = said.split(b"\n")
    assert set(found) <= set(wanted)
    for ref, oid in found.items():
        assert OBJECT_ID.fullmatch(oid)
        assert f"{oid}\t{ref}".encode() in lines


@given(mutated(TAG, TAG + SIGNATURE, TAG + SIGNATURE + b"more\n" + SIGNATURE))
def test_a_tag_is_its_payload_and_its_signature_and_nothing_is_lost(raw: bytes) -> None:
    if (code := refusal(lambda: parse_tag(raw))) is not None:
        assert code == "tag-broken"
        return
    tag = parse_tag(raw)
    assert tag.payload + (tag.signature or b"") == raw
    assert (tag.signature is None) == (tag.form is None)
    assert raw.startswith(b"object ")


def test_the_last_signature_of_a_tag_counts_and_the_first_is_signed_text() -> None:
    tag = parse_tag(TAG + SIGNATURE + b"evil\n" + SIGNATURE)
    assert tag.signature == SIGNATURE
    assert tag.payload == TAG + SIGNATURE + b"evil\n"
    assert parse_tag(TAG).signature is None
    assert parse_tag(TAG + SIGNATURE.replace(b"PGP", b"SSH")).form == "ssh"


# ---- OpenPGP -----------------------------------------------------------------------------------------------

PACKET = bytes([0xC2, 20, 4, 0, 22, 10, 0, 2, 1, 1, 0, 2, 1, 1, 0xAB, 0xCD]) + bytes(6)


@given(mutated(PACKET, PACKET * 3, SIGNATURE, SIGNATURE * 2))
def test_packets_are_walked_or_refused(data: bytes) -> None:
    assert refusal(lambda: key_packets(data)) in {None, "not-a-signature", "not-a-key"}
    assert refusal(lambda: signature_packets(data)) in {
        None, "not-a-signature", "signature-empty", "signature-is-clearsigned", "signature-is-web-page",
    }  # fmt: skip


@in_one_folder
@given(mutated(PACKET[2:]))
def test_the_beginning_of_a_digest_is_compared_or_unknown(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "data").write_bytes(b"released")
    assert signs_these_bytes(body, tmp_path / "data") in {True, False}


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_packets_that_are_put_together_come_apart_again(bodies: list[bytes]) -> None:
    data = b"".join(bytes([0xC2, 255]) + len(body).to_bytes(4, "big") + body for body in bodies)
    assert [body for _, body in packets(data)] == bodies


# ---- checksum files, spec files, mails -----------------------------------------------------------------------


@given(mutated(f"{'ab' * 32}  f.tar\n".encode(), f"SHA256 (f.tar) = {'ab' * 32}\n".encode()))
def test_a_checksum_file_is_believed_only_when_it_says_this_digest_of_this_name(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    code = refusal(lambda: must_be_listed(text, "f.tar", "ab" * 32, "SHA256SUMS"))
    assert code in {None, "checksum-missing", "checksum-differs"}
    if code is None:
        assert "ab" * 32 in text.lower()
        assert "f.tar" in text


@given(st.text(max_size=300))
def test_a_spec_file_says_a_version_or_none(text: str) -> None:
    said = spec_version(f"%global v {text}\n{text}\nVersion: %{{v}}\n")
    assert said is None or said


@pytest.mark.parametrize(
    ("spec", "version"),
    [
        ("Version: 4.9.3\n", "4.9.3"),
        ("%global v 4.9\nVersion:\t%{v}.3", "4.9.3"),
        ("%define v 4.9.3\nversion: %v\n", "4.9.3"),
        ("Version: %{?undefined}\n", "%{?undefined}"),
        ("Name: vdsm\n", None),
        ("%global a %{a}\nVersion: %{a}\n", "%{a}"),
    ],
)
def test_versions_of_spec_files(spec: str, version: str | None) -> None:
    assert spec_version(spec) == version


def test_a_link_to_another_file_of_the_machine_is_no_version_file(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("4.9.3", encoding="utf-8")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "VERSION").symlink_to("../outside")
    with pytest.raises(CheckFailed) as caught:
        must_be_version(tmp_path / "tree", "4.9.3", "VERSION", None)
    assert caught.value.code == "version-file-missing"


MAIL = (
    b"From a@b  Sun Jan  1 10:00:00 2012\nSubject: x\nDate: y\nContent-Type: text/plain; charset=z\n\nbody\n"
)


@settings(deadline=None)
@given(mutated(MAIL, MAIL * 2, MAIL.replace(b"text/plain", b"multipart/mixed; boundary=b")))
def test_mails_are_read_or_say_nothing(data: bytes) -> None:
    for mail in split_mbox(data):
        text, head = mail_text(mail)
        assert isinstance(text, str)
        assert head.startswith("Date: ") or not head
    assert sum(map(len, split_mbox(data))) <= len(data)


# ---- tar members -------------------------------------------------------------------------------------------

names = st.lists(
    st.sampled_from([TOP, "a", "b", "..", ".", "", "/", "link", "x" * 300, "\udc80", "a\\b", "\n"]),
    min_size=1,
    max_size=5,
).map("/".join)
members = st.lists(
    st.tuples(
        names,
        st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, b"Z"]),
        names,
        st.integers(0, 0o7777),
    ),
    max_size=6,
)  # fmt: skip
CODES = {
    "unsafe-member", "duplicate-member", "wrong-top-folder", "tarball-broken", "tarball-empty", "expands-too-far",
    "too-many-members",
}  # fmt: skip


def packed(entries: list[tuple[str, bytes, str, int]]) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT, errors="surrogateescape") as archive:
        for name, kind, linkname, mode in entries:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.mode = kind, linkname, mode
            archive.addfile(info)
    return raw.getvalue()


@settings(in_one_folder, max_examples=300)
@given(members)
def test_no_member_is_ever_written_outside_its_folder(
    tmp_path_factory: pytest.TempPathFactory, entries: list[tuple[str, bytes, str, int]]
) -> None:
    place = tmp_path_factory.mktemp("tar")
    (place / "x.tar").write_bytes(packed([(TOP, tarfile.DIRTYPE, "", 0o755), *entries]))
    code = refusal(lambda: unpack(place / "x.tar", place / "out", TOP, 60))
    assert code is None or code in CODES
    if code is None:
        top = place / "out" / TOP
        assert all(p.is_symlink() or p.resolve().is_relative_to(top.resolve()) for p in top.rglob("*"))
    assert {p.name for p in place.iterdir()} == {"x.tar", "out"}
    assert {p.name for p in (place / "out").iterdir()} <= {TOP}


@pytest.mark.parametrize("many", [1, 40])
def test_a_bomb_takes_no_more_memory_than_a_small_tarball(tmp_path: Path, many: int) -> None:
    info = tarfile.TarInfo(f"{TOP}/zeros")
    info.size = many * 1_000_000
    bomb = gzip.compress(
        packed([(TOP, tarfile.DIRTYPE, "", 0o755)])[:512] + info.tobuf() + bytes(info.size), 9
    )
    (tmp_path / "x.tar").write_bytes(bomb)
    tracemalloc.start()
    with pytest.raises(CheckFailed):
        unpack(tmp_path / "x.tar", tmp_path / "out", TOP, 60, Caps(500_000, 10))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000
