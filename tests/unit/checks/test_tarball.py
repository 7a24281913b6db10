"""Tarballs are accepted once per run, unpacked safely, and compared with the tag's tree."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import hashlib
import lzma
import tarfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ovirt_release.checks.checksums import must_be_listed
from pytest_ovirt_release.checks.expand import Caps, expand
from pytest_ovirt_release.checks.git import TreeEntry
from pytest_ovirt_release.checks.openpgp import SignerPolicy, SignerUnassigned
from pytest_ovirt_release.checks.tarball import accept, accept_binary, accepted_once, for_scripts
from pytest_ovirt_release.checks.trees import blob_id, compare_with_tree
from pytest_ovirt_release.checks.unpacking import unpack
from pytest_ovirt_release.errors import Blocked, CheckFailed, Unproven, Unreachable
from pytest_ovirt_release.release.candidate import CandidateFile
from pytest_ovirt_release.release.page import Component
from pytest_ovirt_release.release.resolved import ComponentUnderTest
from pytest_ovirt_release.target.model import Deadlines
from tests.unit.checks.signing import KeyRoom
from tests.unit.checks.tars import folder, good, member, tar
from tests.unit.checks.web import Web, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DEADLINES = Deadlines(download=20)
NAME = "vdsm-4.9.3.tar.gz"


def refused(content: bytes, tmp_path: Path, caps: Caps | None = None) -> str:
    path = tmp_path / "x.tar"
    path.write_bytes(content)
    with pytest.raises(CheckFailed) as caught:
        unpack(path, tmp_path / "out", "vdsm-4.9.3", 60, *([caps] if caps else []))
    return caught.value.code


# ---- unpacking ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pack",
    [bytes, gzip.compress, bz2.compress, lzma.compress, zstandard.ZstdCompressor().compress],
    ids=["tar", "gz", "bz2", "xz", "zst"],
)
def test_a_good_tarball_unpacks_whatever_its_compression(
    pack: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    path = tmp_path / "any-name"
    path.write_bytes(pack(good()))
    top = unpack(path, tmp_path / "out", "vdsm-4.9.3", 60)
    assert (top / "VERSION").read_text(encoding="utf-8") == "4.9.3\n"
    assert (top / "run").stat().st_mode & 0o777 == 0o755
    assert (top / "link").is_symlink()


BASE = folder("vdsm-4.9.3")
LINK = member("vdsm-4.9.3/l", type=tarfile.SYMTYPE, linkname="sub")
HOSTILE = {
    "absolute": ([member("/vdsm-4.9.3/x")], "unsafe-member"),
    "parent": ([BASE, member("vdsm-4.9.3/../../x")], "unsafe-member"),
    "link out": ([BASE, member("vdsm-4.9.3/l", type=tarfile.SYMTYPE, linkname="../../etc")], "unsafe-member"),
    "absolute link": ([BASE, member("vdsm-4.9.3/l", type=tarfile.SYMTYPE, linkname="/etc")], "unsafe-member"),
    "through a link": ([BASE, folder("vdsm-4.9.3/sub"), LINK, member("vdsm-4.9.3/l/x")], "unsafe-member"),
    "over a link": ([BASE, LINK, member("vdsm-4.9.3/l")], "duplicate-member"),
    "hard link": (
        [BASE, member("vdsm-4.9.3/h", type=tarfile.LNKTYPE, linkname="vdsm-4.9.3")],
        "unsafe-member",
    ),
    "device": ([BASE, member("vdsm-4.9.3/d", type=tarfile.CHRTYPE)], "unsafe-member"),
    "fifo": ([BASE, member("vdsm-4.9.3/f", type=tarfile.FIFOTYPE)], "unsafe-member"),
    "backslash": ([BASE, member("vdsm-4.9.3/a\\b")], "unsafe-member"),
    "long name": ([BASE, member("vdsm-4.9.3/" + "n" * 300)], "unsafe-member"),
    "twice": ([BASE, member("vdsm-4.9.3/a"), member("vdsm-4.9.3/a", b"y")], "duplicate-member"),
    "file and folder": ([BASE, member("vdsm-4.9.3/a"), member("vdsm-4.9.3/a/b")], "tarball-broken"),
    "other top": ([folder("vdsm-4.9.4"), member("vdsm-4.9.4/a")], "wrong-top-folder"),
    "second top": ([BASE, member("vdsm-4.9.3/a"), member("other")], "wrong-top-folder"),
    "top is a file": ([member("vdsm-4.9.3")], "wrong-top-folder"),
    "no file": ([BASE], "tarball-empty"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_members_are_refused_and_nothing_is_written_elsewhere(case: str, tmp_path: Path) -> None:
    members, code = HOSTILE[case]
    assert refused(tar(*members), tmp_path) == code
    assert {p.name for p in tmp_path.iterdir()} == {"x.tar", "out"}
    assert {p.name for p in (tmp_path / "out").iterdir()} <= {"vdsm-4.9.3"}


def test_set_user_id_and_strange_dates_are_not_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(
        tar(
            BASE,
            member("vdsm-4.9.3/s", mode=0o4777),
            member("vdsm-4.9.3/t", mtime=1e30),
            form=tarfile.PAX_FORMAT,
        )
    )
    top = unpack(path, tmp_path / "out", "vdsm-4.9.3", 60)
    assert (top / "s").stat().st_mode & 0o7777 == 0o755
    assert (top / "t").stat().st_mtime == 0


def test_bombs_stop_at_the_caps(tmp_path: Path) -> None:
    big = gzip.compress(tar(BASE, member("vdsm-4.9.3/zeros", bytes(40_000_000))))
    assert refused(big, tmp_path) == "expands-too-far"
    small = gzip.compress(good(), compresslevel=0)
    assert refused(small, tmp_path, Caps(largest=4096, ratio=1000)) == "expands-too-far"


def test_unpacking_ends_at_its_deadline_and_disproves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(good())
    with pytest.raises(Unproven, match="within 0 s"):
        unpack(path, tmp_path / "out", "vdsm-4.9.3", 0)


@pytest.mark.parametrize(
    "empty",
    [gzip.compress(b""), bz2.compress(b""), lzma.compress(b""), zstandard.ZstdCompressor().compress(b"")],
    ids=["gz", "bz2", "xz", "zst"],
)
def test_a_file_of_nothing_but_empty_parts_ends_at_the_deadline(empty: bytes, tmp_path: Path) -> None:
    """A decompressor looks for the next byte in all of them before it comes back."""
    path = tmp_path / "x.tar"
    path.write_bytes(empty * (48_000_000 // len(empty)))
    began = time.monotonic()
    with pytest.raises(Unproven, match="within"):
        unpack(path, tmp_path / "out", "vdsm-4.9.3", 0.2)
    assert time.monotonic() - began < 5


def test_a_header_that_asks_for_gigabytes_is_refused_before_they_are_read(tmp_path: Path) -> None:
    info = tarfile.TarInfo("vdsm-4.9.3/pax")
    info.type, info.size = tarfile.XHDTYPE, 3 * 1024**3
    assert refused(info.tobuf() + bytes(1024), tmp_path) == "expands-too-far"


def test_what_is_no_tarball_or_only_half_of_one(tmp_path: Path) -> None:
    packed = gzip.compress(good())
    assert refused(b"<html>not found</html>", tmp_path) == "tarball-broken"
    assert refused(b"", tmp_path) == "tarball-broken"
    assert refused(packed[: len(packed) // 2], tmp_path) == "tarball-broken"
    assert refused(good()[:600], tmp_path) == "tarball-broken"
    # `tarfile` stops without a word at a broken header in the middle.
    middle = bytearray(good())
    middle[1536 : 1536 + 20] = b"\xff" * 20
    assert refused(bytes(middle), tmp_path) == "tarball-broken"
    assert refused(good() + b"hidden", tmp_path) == "tarball-broken"


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
@given(at=st.integers(0, 2047), value=st.integers(0, 255), packed=st.booleans())
def test_one_changed_byte_never_escapes_and_never_crashes(
    tmp_path: Path, at: int, value: int, *, packed: bool
) -> None:
    content = bytearray(gzip.compress(good(), mtime=0) if packed else good())
    content[at % len(content)] = value
    path = tmp_path / "x.tar"
    path.write_bytes(bytes(content))
    with contextlib.suppress(CheckFailed):
        unpack(path, tmp_path / "out" / f"{at}-{value}-{packed}", "vdsm-4.9.3", 60)
    assert {p.name for p in tmp_path.iterdir()} == {"x.tar", "out"}


def test_expanding_hashes_what_it_writes_and_stops_at_its_cap(tmp_path: Path) -> None:
    path, out = tmp_path / "f.gz", tmp_path / "f"
    path.write_bytes(gzip.compress(b"abc" * 1000))
    assert expand(path, out, Caps(3000, 1000), 60) == hashlib.sha256(b"abc" * 1000).hexdigest()
    with pytest.raises(CheckFailed) as caught:
        expand(path, out, Caps(2999, 1000), 60)
    assert caught.value.code == "expands-too-far"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(CheckFailed) as caught:
        expand(path, out, Caps(3000, 1000), 60)
    assert caught.value.code == "file-broken"


# ---- comparison --------------------------------------------------------------------------------------------

TREE = (
    TreeEntry("VERSION", "100644", blob_id(b"4.9.3\n")),
    TreeEntry("run", "100755", blob_id(b"#!/bin/sh\n")),
    TreeEntry("link", "120000", blob_id(b"run")),
)


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    path = tmp_path / "good.tar"
    path.write_bytes(good())
    return unpack(path, tmp_path / "good", "vdsm-4.9.3", 60)


def test_a_blob_id_is_gits() -> None:
    assert blob_id(b"what is up, doc?") == "bd9dbf5aae1a3862dd1526723246b20206e5fc37"


def test_the_same_tree_has_no_differences(unpacked: Path) -> None:
    differences = compare_with_tree(unpacked, TREE)
    differences.must_be_none("vdsm")
    assert differences.compared == 3
    sha256 = tuple(
        replace(e, blob=blob_id(c, "sha256"))
        for e, c in zip(TREE, (b"4.9.3\n", b"#!/bin/sh\n", b"run"), strict=True)
    )
    assert compare_with_tree(unpacked, sha256).compared == 3


def test_each_kind_of_difference_is_told(unpacked: Path) -> None:
    (unpacked / "slipped in.py").write_text("x", encoding="utf-8")
    (unpacked / "VERSION").write_text("4.9.4\n", encoding="utf-8")
    (unpacked / "run").chmod(0o644)
    (unpacked / "link").unlink()
    (unpacked / "PKG-INFO").write_text("made", encoding="utf-8")
    differences = compare_with_tree(unpacked, TREE, ("PKG-*",))
    assert differences.only_in_tarball == ("slipped in.py",)
    assert differences.only_in_tree == ("link",)
    assert differences.content == ("VERSION",)
    assert differences.mode == ("run",)
    assert differences.generated == ("PKG-INFO",)
    with pytest.raises(CheckFailed, match=r"slipped in\.py.*link.*VERSION.*run") as caught:
        differences.must_be_none("vdsm")
    assert caught.value.code == "differs-from-tag"


def test_a_generated_pattern_does_not_excuse_a_changed_file(unpacked: Path) -> None:
    (unpacked / "VERSION").write_text("4.9.4\n", encoding="utf-8")
    assert compare_with_tree(unpacked, TREE, ("*",)).content == ("VERSION",)


def test_an_empty_tree_proves_nothing(unpacked: Path) -> None:
    with pytest.raises(CheckFailed, match="no file"):
        compare_with_tree(unpacked, ())


# ---- checksum files ----------------------------------------------------------------------------------------

DIGEST = "ab" * 32


@pytest.mark.parametrize(
    "line",
    [f"{DIGEST}  f.tar", f"{DIGEST} *f.tar", f"{DIGEST.upper()}  ./f.tar\r", f"SHA256 (f.tar) = {DIGEST}"],
)
def test_checksum_lines_that_fit(line: str) -> None:
    must_be_listed(f"# text\n{'0' * 64}  other\n{line}\n", "f.tar", DIGEST, "SHA256SUMS")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "checksum-missing"),
        (f"{DIGEST}  f.tar.gz\n", "checksum-missing"),
        (f"{DIGEST[:32]}  f.tar\n", "checksum-missing"),
        (f"{'0' * 64}  f.tar\n", "checksum-differs"),
        (f"{DIGEST}  f.tar\n{'0' * 64}  f.tar\n", "checksum-differs"),
        ("<html>", "checksum-missing"),
    ],
)
def test_checksum_files_that_do_not(text: str, code: str) -> None:
    with pytest.raises(CheckFailed) as caught:
        must_be_listed(text, "f.tar", DIGEST, "SHA256SUMS")
    assert caught.value.code == code


# ---- acceptance --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def room() -> Iterator[KeyRoom]:
    made = KeyRoom()
    yield made
    made.close()


@pytest.fixture(scope="module")
def signer(room: KeyRoom) -> str:
    return room.make_key("Release Signer")


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    (tmp_path / "site").mkdir()
    yield from running(tmp_path / "site")


@pytest.fixture
def policy(room: KeyRoom, signer: str, tmp_path: Path) -> SignerPolicy:
    return room.policy(tmp_path, signer)


@pytest.fixture
def component(web: Web, room: KeyRoom, signer: str, policy: SignerPolicy) -> ComponentUnderTest:
    packed = gzip.compress(good(), mtime=0)
    url = web.put(NAME, packed)
    room.sign(web.root / NAME, signer)
    digest = hashlib.sha256(packed).hexdigest()
    web.put("SHA256SUMS", f"{digest}  {NAME}\n".encode())
    files = {
        "tarball": CandidateFile(kind="tarball", name=NAME, sha256=digest, size=len(packed)),
        "binary-tarball": CandidateFile(kind="binary-tarball", name=NAME, sha256=digest, size=len(packed)),
    }
    page = Component(name="vdsm", repository="r", tag="t", branch="b", tarball="t", signature="s", notes="n")
    return ComponentUnderTest(
        name="vdsm", version="4.9.3", tag="v4.9.3", commit="1" * 40, repository=f"{web.url}/git/vdsm.git", branch="b",
        version_file=None, tarball=url, signature=f"{url}.sig", checksums=f"{web.url}/SHA256SUMS",
        top_folder="vdsm-4.9.3", generated=(), binary_tarball=url, binary_signature=f"{url}.sig", notes="n",
        files=files, page=page,
    )  # fmt: skip


def failed(component: ComponentUnderTest, policy: SignerPolicy, tmp_path: Path) -> str:
    with pytest.raises(CheckFailed) as caught:
        accept(component, policy, tmp_path / "files", DEADLINES, now=datetime.now(UTC))
    return caught.value.code


def test_a_good_release_is_accepted(
    component: ComponentUnderTest, policy: SignerPolicy, signer: str, tmp_path: Path
) -> None:
    for take in (accept, accept_binary):
        got = take(component, policy, tmp_path / take.__name__, DEADLINES, now=datetime.now(UTC))
        assert got.verdict.signer == signer
        assert got.sha256 == component.files["tarball"].sha256
        assert (got.source / "VERSION").is_file()


@pytest.mark.parametrize(
    ("missing", "code"),
    [(NAME, "tarball-missing"), (f"{NAME}.sig", "signature-missing"), ("SHA256SUMS", "checksums-missing")],
)
def test_what_is_missing_has_its_own_code(
    component: ComponentUnderTest, policy: SignerPolicy, web: Web, tmp_path: Path, missing: str, code: str
) -> None:
    (web.root / missing).unlink()
    assert failed(component, policy, tmp_path) == code


def test_what_differs_has_its_own_code(
    component: ComponentUnderTest, policy: SignerPolicy, web: Web, room: KeyRoom, tmp_path: Path
) -> None:
    web.put("SHA256SUMS", f"{'0' * 64}  {NAME}\n".encode())
    assert failed(component, policy, tmp_path) == "checksum-differs"
    assert (
        failed(replace(component, checksums=None, top_folder="other"), policy, tmp_path) == "wrong-top-folder"
    )
    assert failed(replace(component, files={}), policy, tmp_path) == "not-in-candidate"
    web.answers[f"/{NAME}.sig"] = lambda h: h.send(b"<html>404</html>")
    assert failed(replace(component, checksums=None), policy, tmp_path) == "signature-is-web-page"
    web.answers[f"/{NAME}.sig"] = lambda h: h.send(b"A" * 1_000_000)
    assert failed(replace(component, checksums=None), policy, tmp_path) == "signature-too-large"
    web.answers.clear()
    room.sign(web.root / NAME, room.make_key("Stranger"))
    assert failed(replace(component, checksums=None), policy, tmp_path) == "unknown-signer"
    web.put(NAME, b"something else")
    assert failed(component, policy, tmp_path) == "digest-differs"


def test_the_outcome_is_kept_for_the_other_processes(
    component: ComponentUnderTest, policy: SignerPolicy, web: Web, tmp_path: Path
) -> None:
    said: list[tuple[str, str]] = []

    def note(where: str, text: str) -> None:
        said.append((where, text))

    first = accepted_once(component, policy, tmp_path / "files", DEADLINES, note)
    web.close()
    assert accepted_once(component, policy, tmp_path / "files", DEADLINES, note) == first
    for_script = for_scripts(component, policy, tmp_path / "files", DEADLINES, note)
    assert for_script.model_copy(update={"source": first.source}) == first
    assert said == [("openpgp", "Release Signer <release@example.org>")] * 3


def test_scripts_get_a_tree_of_their_own_from_the_accepted_bytes(
    component: ComponentUnderTest, policy: SignerPolicy, tmp_path: Path
) -> None:
    trees = []
    for _ in range(2):
        tarball = for_scripts(component, policy, tmp_path / "files", DEADLINES, lambda _w, _t: None)
        assert (tarball.source / "VERSION").read_text(encoding="utf-8") == "4.9.3\n"
        (tarball.source / "VERSION").write_text("spoilt by a script", encoding="utf-8")
        trees.append(tarball.source)
    assert trees[0] != trees[1]
    tarball.path.write_bytes(b"exchanged")
    with pytest.raises(Blocked, match="not the file any more"):
        for_scripts(component, policy, tmp_path / "files", DEADLINES, lambda _w, _t: None)


def test_a_refusal_is_kept_too_and_blocks_the_scripts(
    component: ComponentUnderTest, policy: SignerPolicy, web: Web, room: KeyRoom, signer: str, tmp_path: Path
) -> None:
    met: list[str] = []
    other = web.root / "other"
    other.write_bytes(b"other")
    (web.root / f"{NAME}.sig").write_bytes(room.sign(other, signer).read_bytes())
    texts = []
    for _ in range(2):
        with pytest.raises(CheckFailed) as caught:
            accepted_once(component, policy, tmp_path / "files", DEADLINES, lambda _w, t: met.append(t))
        assert caught.value.code == "signature-of-other-file"
        texts.append(str(caught.value))
        web.close()
    assert texts[0] == texts[1]
    assert len(met) == 2
    with pytest.raises(Blocked, match="unverified") as blocked:
        for_scripts(component, policy, tmp_path / "files", DEADLINES, lambda _w, _t: None)
    assert blocked.value.on == "source-tarball-signed"


def test_an_unassigned_role_is_unproven_for_everybody(component: ComponentUnderTest, tmp_path: Path) -> None:
    nobody = SignerPolicy("release-signer", (), (), page="ovirt-3.0")
    for _ in range(2):
        with pytest.raises(SignerUnassigned, match="unassigned on page"):
            accepted_once(component, nobody, tmp_path / "files", DEADLINES, lambda _w, _t: None)
    with pytest.raises(Blocked, match="unassigned"):
        for_scripts(component, nobody, tmp_path / "files", DEADLINES, lambda _w, _t: None)


def test_a_site_that_did_not_answer_is_asked_again(
    component: ComponentUnderTest, policy: SignerPolicy, web: Web, tmp_path: Path
) -> None:
    web.answers[f"/{NAME}"] = lambda h: h.send(b"", 503)
    with pytest.raises(Unreachable):
        accepted_once(component, policy, tmp_path / "files", DEADLINES, lambda _w, _t: None)
    web.answers.clear()
    assert accepted_once(
        component, policy, tmp_path / "files", DEADLINES, lambda _w, _t: None
    ).verdict.accepted
