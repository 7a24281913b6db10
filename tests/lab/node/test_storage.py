"""Storage verbs: real folders and files, and vdsm's errors."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path
from uuid import uuid4

import pytest

from pytest_ovirt_release.lab.node.files import NodeFiles
from pytest_ovirt_release.lab.node.layout import sealed, volume_values
from pytest_ovirt_release.lab.node.storage import LOCALFS, NFS, NodeStorage, Place
from pytest_ovirt_release.lab.node.verbs import VdsmError

SHARED = Place(NFS, "127.0.0.1:/exports/data")
LOCAL = Place(LOCALFS, "/data/local")
NAME = "a name = odd"


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    folder = tmp_path / "nfs"
    (folder / "exports" / "data").mkdir(parents=True)
    return folder


def make(
    tmp_path: Path, exports: Path, *, mount_fails: bool = False, loses_local: bool = False
) -> NodeStorage:
    files = NodeFiles(tmp_path / "root")
    files.path("/data/local").mkdir(parents=True, exist_ok=True)
    return NodeStorage(files, exports, mount_fails=mount_fails, loses_local=loses_local)


@pytest.fixture
def storage(tmp_path: Path, exports: Path) -> NodeStorage:
    return make(tmp_path, exports)


def make_domain(storage: NodeStorage, place: Place = SHARED) -> str:
    domain = str(uuid4())
    storage.connect(place)
    storage.create_domain(place, domain, NAME, 1)
    return domain


def make_volume(storage: NodeStorage, domain: str, image: str, size: int) -> str:
    volume = str(uuid4())
    values = volume_values(domain, image, size, format_=5, preallocate=2, type_="DATA", description="a disk")
    storage.create_volume(volume, size, values)
    return volume


def test_a_domain_lives_and_leaves_nothing(storage: NodeStorage, exports: Path) -> None:
    domain, image = make_domain(storage), str(uuid4())
    assert storage.domains(SHARED.path) == (domain,)
    assert storage.domain(domain)["DESCRIPTION"] == NAME
    id_ = make_volume(storage, domain, image, 1 << 20)
    volume = storage.volume(domain, image)
    assert volume == exports / "exports" / "data" / domain / "images" / image / id_
    assert volume.read_bytes() == bytes(1 << 20)
    assert volume.stat().st_blocks == 0
    assert storage.images(domain) == [image]
    total, free = storage.space(domain)
    assert total > free > 0
    storage.delete_image(domain, image)
    with pytest.raises(VdsmError, match="268"):
        storage.volume(domain, image)
    storage.format_domain(domain)
    assert list((exports / "exports" / "data").iterdir()) == []


def test_a_domain_is_laid_out_as_vdsm_lays_it_out(storage: NodeStorage, exports: Path) -> None:
    domain, image = make_domain(storage), str(uuid4())
    volume = make_volume(storage, domain, image, 1 << 20)
    top = exports / "exports" / "data" / domain
    assert {
        path.name: path.stat().st_size for path in (top / "dom_md").iterdir() if path.name != "metadata"
    } == {
        "ids": 0,
        "inbox": 16 << 20,
        "leases": 0,
        "outbox": 16 << 20,
        "xleases": 0,
    }
    assert stat.S_IMODE((top / "dom_md").stat().st_mode) == 0o775
    files = [*(top / "dom_md").iterdir(), *(top / "images" / image).iterdir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o660}
    assert {path.name for path in (top / "images" / image).iterdir()} == {
        volume,
        f"{volume}.lease",
        f"{volume}.meta",
    }
    assert (top / "images" / image / f"{volume}.lease").stat().st_size == 1 << 20
    meta = (top / "images" / image / f"{volume}.meta").read_bytes()
    assert len(meta) <= 512
    *lines, end = meta.decode().splitlines()
    assert end == "EOF"
    assert lines == sorted(lines)
    values = dict(line.split("=", 1) for line in lines)
    assert values.pop("CTIME").isdigit()
    assert values == {
        "CAP": str(1 << 20),
        "DESCRIPTION": "a disk",
        "DISKTYPE": "DATA",
        "DOMAIN": domain,
        "FORMAT": "RAW",
        "GEN": "0",
        "IMAGE": image,
        "LEGALITY": "LEGAL",
        "PUUID": "00000000-0000-0000-0000-000000000000",
        "SEQ": "1",
        "TYPE": "SPARSE",
        "VOLTYPE": "LEAF",
    }


def test_metadata_carries_vdsms_keys_and_checksum(storage: NodeStorage, exports: Path) -> None:
    domain = make_domain(storage)
    *lines, last = (exports / "exports" / "data" / domain / "dom_md" / "metadata").read_text().splitlines()
    assert lines == sorted(lines)
    assert last == "_SHA_CKSUM=" + hashlib.sha1("".join(lines).encode(), usedforsecurity=False).hexdigest()
    assert dict(line.split("=", 1) for line in lines) == {
        "ALIGNMENT": "1048576",
        "BLOCK_SIZE": "512",
        "CLASS": "Data",
        "DESCRIPTION": NAME,
        "IOOPTIMEOUTSEC": "10",
        "LEASERETRIES": "3",
        "LEASETIMESEC": "60",
        "LOCKPOLICY": "",
        "LOCKRENEWALINTERVALSEC": "5",
        "POOL_UUID": "",
        "REMOTE_PATH": "127.0.0.1:/exports/data",
        "ROLE": "Regular",
        "SDUUID": domain,
        "TYPE": "NFS",
        "VERSION": "5",
    }


def test_a_broken_seal_is_752_and_a_missing_one_is_trusted(storage: NodeStorage, exports: Path) -> None:
    domain = make_domain(storage)
    metadata = exports / "exports" / "data" / domain / "dom_md" / "metadata"
    whole = metadata.read_text()
    metadata.write_text(whole.replace("CLASS=Data", "CLASS=Iso"))
    with pytest.raises(VdsmError, match="752"):
        storage.domain(domain)
    assert storage.health() == {domain: 752}
    metadata.write_text(whole[: whole.index("_SHA_CKSUM")])
    assert storage.domain(domain)["CLASS"] == "Data"
    assert sealed(storage.domain(domain)) == whole
    assert storage.health() == {domain: 0}


def test_storage_that_is_lost_answers_no_more_until_it_is_back(storage: NodeStorage) -> None:
    domain, local = make_domain(storage), make_domain(storage, LOCAL)
    storage.lost = True
    assert storage.health() == {domain: 358, local: 0}
    with pytest.raises(VdsmError, match="358"):
        storage.space(domain)
    with pytest.raises(VdsmError, match="477"):
        storage.connect(SHARED)
    storage.lost = False
    assert storage.health() == {domain: 0, local: 0}
    storage.disconnect_all()
    assert storage.health() == {}


def test_what_is_connected_can_be_seen_in_the_nodes_tree(
    tmp_path: Path, storage: NodeStorage, exports: Path
) -> None:
    (exports / "exports" / "a_b").mkdir()
    odd = Place(NFS, "127.0.0.1:/exports/a_b")
    domain = make_domain(storage, odd)
    storage.connect(odd)
    mount = NodeFiles(tmp_path / "root").path("/rhev/data-center/mnt/127.0.0.1:_exports_a__b")
    assert f"DESCRIPTION={NAME}" in (mount / domain / "dom_md" / "metadata").read_text()
    storage.disconnect(odd)
    storage.disconnect(odd)
    assert not mount.exists()


def test_two_nodes_see_the_same_export_and_not_each_others_folders(tmp_path: Path, exports: Path) -> None:
    first, second = make(tmp_path / "1", exports), make(tmp_path / "2", exports)
    shared, local = make_domain(first), make_domain(first, LOCAL)
    for place in (SHARED, LOCAL):
        second.connect(place)
    assert first.health() == {shared: 0, local: 0}
    assert second.domains(SHARED.path) == (shared,)
    assert second.domains(LOCAL.path) == ()


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(Place(NFS, "127.0.0.1:/exports/none"), id="no such export"),
        pytest.param(Place(NFS, "127.0.0.1:/etc"), id="not exported"),
        pytest.param(Place(NFS, "127.0.0.1:/exports/../exports/data"), id="way out"),
        pytest.param(Place(NFS, "192.0.2.1:/exports/data"), id="other server"),
        pytest.param(Place(LOCALFS, "/data/none"), id="no such folder"),
    ],
)
def test_what_cannot_be_mounted_is_477(storage: NodeStorage, place: Place) -> None:
    with pytest.raises(VdsmError, match="Problem while trying to mount target") as caught:
        storage.connect(place)
    assert caught.value.code == 477


def test_a_folder_without_permission_is_469(storage: NodeStorage, exports: Path) -> None:
    (exports / "exports" / "data").chmod(0o500)
    with pytest.raises(VdsmError) as caught:
        storage.connect(SHARED)
    assert caught.value.code == 469


def test_a_domain_of_a_connection_that_was_cut_is_not_there(storage: NodeStorage) -> None:
    domain = make_domain(storage)
    storage.disconnect(SHARED)
    with pytest.raises(VdsmError, match="358"):
        storage.space(domain)
    with pytest.raises(VdsmError, match="not connected"):
        storage.domains(SHARED.path)


def test_an_id_that_is_none_leads_nowhere(storage: NodeStorage) -> None:
    domain = make_domain(storage)
    for verb in (storage.space, storage.format_domain):
        with pytest.raises(VdsmError, match="358"):
            verb("..")
    with pytest.raises(VdsmError, match="268"):
        storage.volume(domain, "../..")
    with pytest.raises(VdsmError, match="268"):
        make_volume(storage, domain, "../x", 512)
    with pytest.raises(VdsmError, match="212"):
        storage.create_volume("../x", 512, {"DOMAIN": domain, "IMAGE": str(uuid4())})


def test_nothing_is_made_twice(storage: NodeStorage) -> None:
    domain, image = make_domain(storage), str(uuid4())
    make_volume(storage, domain, image, 512)
    with pytest.raises(VdsmError, match="365"):
        storage.create_domain(SHARED, domain, NAME, 1)
    with pytest.raises(VdsmError, match="212"):
        make_volume(storage, domain, image, 512)


def test_nfs_mount_fails_spares_local_storage(tmp_path: Path, exports: Path) -> None:
    storage = make(tmp_path, exports, mount_fails=True)
    storage.connect(LOCAL)
    with pytest.raises(VdsmError, match="477"):
        storage.connect(SHARED)


@pytest.mark.parametrize(("place", "found"), [(SHARED, b"xy"), (LOCAL, bytes(2))], ids=["nfs", "local"])
def test_local_disk_lost_loses_what_is_read_back_from_local_storage(
    tmp_path: Path, exports: Path, place: Place, found: bytes
) -> None:
    storage = make(tmp_path, exports, loses_local=True)
    domain, image = make_domain(storage, place), str(uuid4())
    make_volume(storage, domain, image, 2)
    storage.volume(domain, image).write_bytes(b"xy")
    storage.before_reading(domain, image)
    assert storage.volume(domain, image).read_bytes() == found


def test_no_path_leads_out_of_a_nodes_tree(tmp_path: Path) -> None:
    files = NodeFiles(tmp_path / "root")
    assert files.path("/../../etc/passwd") == tmp_path / "root" / "etc" / "passwd"
    assert files.path("a/./b/../c") == tmp_path / "root" / "a" / "c"
