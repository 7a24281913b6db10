"""What package files say of themselves, compared with the distributions' own tools; and files that are none."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ovirt_release.checks.openpgp import judge
from pytest_ovirt_release.checks.packages.deb_file import read_deb
from pytest_ovirt_release.checks.packages.rpm_file import read_rpm
from pytest_ovirt_release.errors import CheckFailed
from pytest_ovirt_release.lab.release import deb, rpm
from pytest_ovirt_release.lab.release.packages import Package, files_of
from tests.unit.checks.signing import KeyRoom

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime.now(UTC)
VDSM = Package("vdsm", "4.9.3", "1", "amd64", "vdsm", NOW, files_of("vdsm", "4.9.3"))
GOOD = {"deb": deb.build(VDSM), "rpm": rpm.build(replace(VDSM, architecture="x86_64"))}
READERS = {"deb": read_deb, "rpm": read_rpm}
needs_rpm = pytest.mark.skipif(shutil.which("rpmbuild") is None, reason="rpmbuild is not installed")

SPEC = """Name: vdsm
Epoch: 2
Version: 4.9.3
Release: 1.fc16
Summary: node agent
License: GPL
BuildArch: noarch
%description
node agent
%install
mkdir -p %{buildroot}/opt
echo hello > %{buildroot}/opt/hello
%files
/opt/hello
"""


@pytest.fixture(scope="module")
def room() -> Iterator[KeyRoom]:
    made = KeyRoom()
    yield made
    made.close()


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def rpmbuild(folder: Path) -> Path:
    """Let rpmbuild make a package."""
    spec = folder / "vdsm.spec"
    spec.write_text(SPEC, encoding="utf-8")
    run("rpmbuild", "-bb", "--quiet", "--define", f"_topdir {folder}/top", str(spec))
    return next(folder.rglob("*.rpm"))


def sign(path: Path, room: KeyRoom, signer: str) -> None:
    """Let rpmsign put a signature into a package."""
    values = {"_gpg_name": signer, "_gpg_path": str(room.home), "__gpg": shutil.which("gpg") or "gpg"}
    defines = [word for name, value in values.items() for word in ("--define", f"{name} {value}")]
    run("rpmsign", "--addsign", *defines, str(path))


@pytest.mark.parametrize("packer", ["gzip", "xz", "zstd"])
def test_a_deb_is_read_as_dpkg_deb_reads_it(tmp_path: Path, packer: str) -> None:
    tree = tmp_path / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(
        "Package: vdsm\nVersion: 2:4.9.3-1~rc1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: ä\n",
        encoding="utf-8",
    )
    out = tmp_path / "vdsm.deb"
    run(
        "dpkg-deb",
        "--root-owner-group",
        "--uniform-compression",
        f"-Z{packer}",
        "--build",
        str(tree),
        str(out),
    )
    found = read_deb(out)
    wanted = run("dpkg-deb", "-W", "--showformat=${Package} ${Version} ${Architecture}", str(out))
    assert f"{found.name} {found.versions[0]} {found.architecture}" == wanted
    assert list(tmp_path.glob("*.control")) == []


@needs_rpm
def test_an_rpm_is_read_as_rpm_reads_it(tmp_path: Path) -> None:
    path = rpmbuild(tmp_path)
    found = read_rpm(path)
    form = "%{NAME} %{EPOCHNUM}:%{VERSION}-%{RELEASE} %{ARCH}"
    wanted = run("rpm", "--dbpath", str(tmp_path / "db"), "-qp", "--nosignature", "--qf", form, str(path))
    assert f"{found.facts.name} {found.facts.versions[0]} {found.facts.architecture}" == wanted
    assert found.facts.versions == ("2:4.9.3-1.fc16", "4.9.3-1.fc16")
    assert found.payload_fits
    assert found.signature == b""


@needs_rpm
def test_a_signature_by_rpmsign_is_judged_as_rpmkeys_judges_it(tmp_path: Path, room: KeyRoom) -> None:
    path = rpmbuild(tmp_path)
    signer = room.make_key("Package Signer")
    sign(path, room, signer)
    assert _accepted(path, room, signer, tmp_path) is True
    assert _rpmkeys(path, room, signer, tmp_path) is True
    data = bytearray(path.read_bytes())
    at = data.index(b"4.9.3\0")
    data[at] ^= 1
    path.write_bytes(data)
    assert _accepted(path, room, signer, tmp_path) is False
    assert _rpmkeys(path, room, signer, tmp_path) is False


def _accepted(path: Path, room: KeyRoom, signer: str, folder: Path) -> bool:
    found = read_rpm(path)
    (folder / "header").write_bytes(found.header)
    (folder / "signature").write_bytes(found.signature)
    policy = room.policy(folder, signer)
    return judge(folder / "signature", folder / "header", policy, now=datetime.now(UTC), deadline=30).accepted


def _rpmkeys(path: Path, room: KeyRoom, signer: str, folder: Path) -> bool:
    """Ask rpmkeys with a private key store; without both defines it calls unsigned packages good."""
    key, store = folder / "key.asc", ["rpmkeys", "--dbpath", str(folder / "keys")]
    key.write_bytes(room.export(signer))
    run(*store, "--import", str(key))
    strict = ["--define", "_pkgverify_level signature", "--define", "_pkgverify_flags 0x0"]
    done = subprocess.run(
        [*store, *strict, "--checksig", str(path)], check=False, capture_output=True, timeout=60
    )
    return done.returncode == 0 and b"signatures OK" in done.stdout


@pytest.mark.parametrize("kind", ["deb", "rpm"])
def test_what_the_lab_builds_is_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(GOOD[kind])
    facts = read_deb(path) if kind == "deb" else read_rpm(path).facts
    assert (facts.name, "4.9.3-1" in facts.versions) == ("vdsm", True)


@pytest.mark.parametrize("kind", ["deb", "rpm"])
@given(data=st.data())
def test_damaged_packages_are_read_or_refused(
    kind: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Nothing but a CheckFailed comes out, and never another name than the good file's for the same header."""
    content = bytearray(GOOD[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, min(len(content), 3000) - 1))
        content[at] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content
    path = tmp_path_factory.mktemp("damaged") / "file"
    path.write_bytes(content)
    try:
        READERS[kind](path)
    except CheckFailed as error:
        assert error.code in {"package-broken", "expands-too-far"}  # noqa: PT017 - reading it is fine as well


@given(
    content=st.binary(max_size=400),
    start=st.sampled_from([b"", b"!<arch>\n", b"\xed\xab\xee\xdb" + bytes(92)]),
)
def test_arbitrary_bytes_are_no_package(
    content: bytes, start: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("bytes") / "file"
    path.write_bytes(start + content)
    for reader in READERS.values():
        with pytest.raises(CheckFailed) as caught:
            reader(path)
        assert caught.value.code == "package-broken"


def test_a_header_that_asks_for_gigabytes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    content = bytearray(GOOD["rpm"])
    content[96 + 12 : 96 + 16] = b"\x7f\xff\xff\xff"
    path.write_bytes(content)
    with pytest.raises(CheckFailed, match="a header of"):
        read_rpm(path)


def test_entries_beside_the_signed_region_are_refused(tmp_path: Path) -> None:
    """Rpm would take the later name; no signature covers it."""
    good = rpm.header_block((rpm.Entry(1000, 6, "evil"),), 63)
    content = GOOD["rpm"]
    start = content.index(rpm.MAGIC, 200)
    path = tmp_path / "file"
    path.write_bytes(
        content[:start] + good.replace(b"\x00\x00\x00\x3f", b"\x00\x00\x00\x40", 1) + content[start:]
    )
    with pytest.raises(CheckFailed, match="outside of what a signature covers"):
        read_rpm(path)


@pytest.mark.parametrize(
    "entry",
    [
        rpm.Entry(268, rpm.BIN, b"a signature"),
        rpm.Entry(267, rpm.BIN, b"a signature"),
        rpm.Entry(278, rpm.STRINGS, ("YSBzaWduYXR1cmU=", "b3RoZXI=")),
    ],
    ids=["rsa", "dsa", "openpgp of rpm 6"],
)
def test_each_place_of_a_signature(tmp_path: Path, entry: rpm.Entry) -> None:
    path = tmp_path / "file"
    path.write_bytes(with_signature(entry))
    assert read_rpm(path).signature == b"a signature"


def test_a_signature_that_is_no_base64_is_none(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(with_signature(rpm.Entry(278, rpm.STRINGS, ("not base64!",))))
    assert read_rpm(path).signature == b""


def with_signature(entry: rpm.Entry) -> bytes:
    """Return the lab's package with another header of signatures."""
    content = GOOD["rpm"]
    start = content.index(rpm.MAGIC, 100 + 8)
    block = rpm.header_block((entry,), 62)
    return content[:96] + block + bytes(-len(block) % 8) + content[start:]
