"""The lab's release site serves what the release page asks for, and each fault spoils exactly one thing."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import shutil
import struct
import subprocess
import tarfile
import threading
import xml.etree.ElementTree as ET
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest
import urllib3
from click.testing import CliRunner

from pytest_ovirt_release.cli import main
from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.lab.release import scripts
from pytest_ovirt_release.lab.release.keys import KeyMaker
from pytest_ovirt_release.lab.release.plan import Places, plan_components
from pytest_ovirt_release.lab.release.site import ReleaseSite
from pytest_ovirt_release.release.loading import apply_overlay, check_candidate, load_candidate, load_page
from pytest_ovirt_release.release.page import PageOverlay, end_of
from pytest_ovirt_release.release.resolved import resolve_component, resolve_distribution
from pytest_ovirt_release.release.writing import to_toml
from pytest_ovirt_release.target.brand import is_lab

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from pytest_ovirt_release.release.page import Page
    from pytest_ovirt_release.release.resolved import ComponentUnderTest, DistributionUnderTest

PAGE = Path(__file__).parents[2] / "acceptance" / "releases" / "ovirt-3.0.toml"
DEADLINE = 30
Got = TypeVar("Got")
COMPONENTS = [component.name for component in load_page(PAGE).components]


@dataclass
class Served:
    """A site that answers, and the page as a run would see it."""

    site: ReleaseSite
    page: Page
    folder: Path

    def component(self, name: str) -> ComponentUnderTest:
        return resolve_component(self.page, self.site.candidate, name)

    def distribution(self, name: str) -> DistributionUnderTest:
        return resolve_distribution(self.page, self.site.candidate, name)

    def fingerprint(self, role: str) -> str:
        return next(s.fingerprints[0] for s in self.page.signers if s.role == role)

    def verify(self, signature: bytes, content: bytes | None, work: Path) -> list[str]:
        """Return the status lines of gpg, which knows the site's published keys and nothing else."""
        home = work / "gpg"
        home.mkdir(mode=0o700, exist_ok=True)
        gpg = ["gpg", "--homedir", str(home), "--batch", "--no-autostart", "--trust-model", "always"]
        for signer in self.site.signers:
            run(*gpg, "--import", str(self.folder / signer.keys[0].path))
        (work / "signature").write_bytes(signature)
        files = [str(work / "signature")]
        if content is not None:
            (work / "content").write_bytes(content)
            files.append(str(work / "content"))
        done = subprocess.run(
            [*gpg, "--status-fd", "1", "--verify", "--", *files],
            capture_output=True,
            timeout=DEADLINE,
            check=False,
        )
        return [line.removeprefix("[GNUPG:] ") for line in done.stdout.decode().splitlines()]


@contextmanager
def serving(folder: Path, *faults: str) -> Iterator[Served]:
    """Run a site in a thread of its own, with its own event loop, as long as the block lasts."""
    page = load_page(PAGE)
    known = frozenset(faults)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def wait(job: Coroutine[None, None, Got]) -> Got:
        return asyncio.run_coroutine_threadsafe(job, loop).result(DEADLINE)

    async def make() -> ReleaseSite:
        return ReleaseSite(page=page, folder=folder, faults=known, scripts=scripts.tree(known))

    site = wait(make())
    try:
        wait(site.start())
        overlay = PageOverlay(
            schema_name="ovirt-release-overlay/1", page=page.id, places=site.places, signers=site.signers
        )
        yield Served(site, apply_overlay(page, overlay, folder / "page-overlay.toml"), folder)
    finally:
        wait(site.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(DEADLINE)
        loop.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture
def spoilt(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Served]:
    """A site with the fault that the test's `fault` mark parametrizes."""
    with serving(tmp_path / "lab", request.param) as running:
        yield running


def run(*words: str, cwd: Path | None = None) -> str:
    done = subprocess.run(words, cwd=cwd, capture_output=True, timeout=DEADLINE, check=True)
    return done.stdout.decode()


def ask(url: str, data: bytes | None = None) -> urllib3.BaseHTTPResponse:
    return urllib3.request("POST" if data else "GET", url, body=data, timeout=DEADLINE, retries=False)


def get(url: str) -> bytes:
    answer = ask(url)
    assert answer.status == 200, url
    return answer.data


def status_of(url: str, data: bytes | None = None) -> int:
    return ask(url, data).status


def changed(url: str) -> datetime:
    return parsedate_to_datetime(ask(url).headers["Last-Modified"])


def refs(url: str) -> dict[str, str]:
    lines = run("git", "ls-remote", "--", url).splitlines()
    return {name: commit for commit, name in (line.split("\t") for line in lines)}


def committed(repository: Path, commit: str) -> datetime:
    return datetime.fromisoformat(run("git", "show", "-s", "--format=%cI", commit, cwd=repository).strip())


# ---- the candidate -----------------------------------------------------------------------------------------


def test_the_candidate_fits_its_page(served: Served) -> None:
    check_candidate(load_page(PAGE), served.site.candidate)


def test_the_command_writes_the_same_candidate(served: Served, tmp_path: Path) -> None:
    """What the lab hands over is what a release manager would get from the same servers."""
    files = {"page": PAGE, "out": tmp_path / "candidate.toml", "overlay": tmp_path / "overlay.toml"}
    overlay = PageOverlay(
        schema_name="ovirt-release-overlay/1", page=served.page.id, places=served.site.places
    )
    files["overlay"].write_text(to_toml(overlay))
    words = [word for name, value in files.items() for word in (f"--{name}", str(value))]
    for component in served.site.candidate.components:
        words += ["--component", f"{component.name}={component.version}"]
    shown = CliRunner().invoke(
        main, ["candidate", "--version", "3.0", "--package", "ovirt-node-image=2.2.2", *words]
    )
    assert shown.exit_code == 0, shown.output
    written = load_candidate(tmp_path / "candidate.toml")
    assert written.packages == served.site.candidate.packages
    assert [c.model_copy(update={"tag_object": None}) for c in written.components] == list(
        served.site.candidate.components
    )


def test_the_keys_are_the_labs(served: Served, tmp_path: Path) -> None:
    for signer in served.site.signers:
        path = served.folder / signer.keys[0].path
        assert hashlib.sha256(path.read_bytes()).hexdigest() == signer.keys[0].sha256
        shown = run("gpg", "--homedir", str(tmp_path), "--batch", "--no-autostart", "--show-keys", str(path))
        assert signer.fingerprints[0] in shown
        assert is_lab(shown)


def test_no_key_maker_outlives_its_work() -> None:
    with KeyMaker() as keys:
        keys.make("Somebody")
        home = keys._home
        assert list(home.iterdir())
    assert not home.exists()


def test_a_file_is_signed_whole_however_long_that_takes(tmp_path: Path) -> None:
    file, signature = tmp_path / "file", tmp_path / "file.sig"
    file.write_bytes(b"0123456789abcdef" * (1 << 18))
    with KeyMaker() as keys:
        keys.sign(keys.make("Somebody"), file, signature)
        run("gpg", "--homedir", str(keys._home), "--batch", "--verify", "--", str(signature), str(file))


# ---- git -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMPONENTS)
def test_every_repository_has_its_tag_and_branch(served: Served, name: str) -> None:
    component = served.component(name)
    found = refs(component.repository)
    tag = f"refs/tags/{component.tag}"
    assert found.get(f"{tag}^{{}}", found[tag]) == component.commit
    assert f"refs/heads/{component.branch}" in found
    assert "refs/heads/main" in found


def test_vdsm_has_an_annotated_tag_and_the_engine_a_plain_one(served: Served) -> None:
    vdsm, engine = served.component("vdsm"), served.component("ovirt-engine")
    assert f"refs/tags/{vdsm.tag}^{{}}" in refs(vdsm.repository)
    assert f"refs/tags/{engine.tag}^{{}}" not in refs(engine.repository)


@pytest.mark.parametrize("name", COMPONENTS)
def test_the_history_meets_the_timeline(served: Served, tmp_path: Path, name: str) -> None:
    component = served.component(name)
    run("git", "init", "--quiet", str(tmp_path))
    wanted = [
        f"refs/tags/{component.tag}:refs/tags/tag",
        f"refs/heads/{component.branch}:refs/heads/release",
        "refs/heads/main:refs/heads/main",
    ]
    fetch = ["git", "fetch", "--quiet", "--filter=tree:0", "--no-tags", "--", component.repository]
    run(*fetch, *wanted, cwd=tmp_path)
    assert component.commit in run("git", "rev-list", "release", cwd=tmp_path).split()
    own = run("git", "rev-list", "--reverse", "release", "^main", cwd=tmp_path).split()
    assert own, "the branch has no commit of its own"
    tagged, branched = committed(tmp_path, component.commit), committed(tmp_path, own[0])
    assert tagged <= branched
    for milestone in served.page.timeline:
        if milestone.judged_by == "tag-date" and milestone.component == name:
            assert tagged <= milestone.due_at()
        if milestone.judged_by == "branch-date":
            assert branched <= milestone.due_at()
    assert changed(component.notes) < branched


@pytest.mark.parametrize("name", ["vdsm", "ovirt-engine"])
def test_a_tarball_holds_what_the_tag_holds(served: Served, tmp_path: Path, name: str) -> None:
    component = served.component(name)
    run("git", "clone", "--quiet", "--bare", "--", component.repository, str(tmp_path / "clone"))
    listed = run("git", "ls-tree", "-r", component.commit, cwd=tmp_path / "clone").splitlines()
    tree = {}
    for line in listed:
        meta, path = line.split("\t")
        tree[path] = (run("git", "cat-file", "blob", meta.split()[2], cwd=tmp_path / "clone"), meta[:6])
    packed = {}
    with tarfile.open(fileobj=io.BytesIO(get(component.tarball))) as archive:
        for member in archive:
            assert member.name == component.top_folder or member.name.startswith(component.top_folder + "/")
            if member.isfile():
                content = archive.extractfile(member)
                assert content is not None
                mode = "100755" if member.mode & 0o100 else "100644"
                packed[member.name.removeprefix(component.top_folder + "/")] = (content.read().decode(), mode)
    assert packed == tree
    assert component.version_file is not None
    assert component.version in packed[component.version_file][0]


def test_the_engines_tarball_holds_the_release_scripts(served: Served) -> None:
    component = served.component("ovirt-engine")
    with tarfile.open(fileobj=io.BytesIO(get(component.tarball))) as archive:
        for path in (scripts.PKI_SCRIPT, scripts.DATABASE_SCRIPT):
            assert archive.getmember(f"{component.top_folder}/{path}").mode & 0o100


@pytest.mark.parametrize(
    "path", ["git/vdsm.git/HEAD", "git/vdsm.git/info/refs", "git/vdsm.git/info/refs?service=git-receive-pack"]
)
def test_repositories_can_only_be_fetched_from(served: Served, path: str) -> None:
    base = served.site.places["git"].removesuffix("/git")
    assert status_of(f"{base}/{path}") == 403


def test_a_huge_request_is_refused(served: Served) -> None:
    url = f"{served.site.places['git']}/vdsm.git/git-upload-pack"
    assert status_of(url, data=bytes(5 * 1024 * 1024)) == 413


def test_what_is_not_published_is_not_found(served: Served) -> None:
    assert status_of(f"{served.site.places['downloads']}/src/nothing.tar.gz") == 404
    assert status_of(f"{served.site.places['downloads']}/..%2fkeys/release-signer.asc") == 404


# ---- files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMPONENTS)
def test_tarballs_are_the_candidates_and_signed(served: Served, tmp_path: Path, name: str) -> None:
    component = served.component(name)
    assert component.binary_tarball is not None
    assert component.binary_signature is not None
    for kind, url, signature in (
        ("tarball", component.tarball, component.signature),
        ("binary-tarball", component.binary_tarball, component.binary_signature),
    ):
        content = get(url)
        given = component.files[kind]
        assert (given.size, given.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        status = served.verify(get(signature), content, tmp_path)
        assert any(line.startswith("GOODSIG ") for line in status)
        assert any(line.endswith(served.fingerprint("release-signer")) for line in status)


def test_the_checksums_name_every_source_tarball(served: Served) -> None:
    for name in COMPONENTS:
        component = served.component(name)
        assert component.checksums is not None
        lines = get(component.checksums).decode().splitlines()
        assert f"{component.files['tarball'].sha256}  {component.files['tarball'].name}" in lines


@pytest.mark.parametrize("name", COMPONENTS)
def test_notes_speak_of_this_version(served: Served, name: str) -> None:
    component = served.component(name)
    text = get(component.notes).decode()
    assert component.version in text
    assert len(text) > 100
    assert f"Date: {changed(component.notes):%Y-%m-%d}" in text


# ---- package repositories ------------------------------------------------------------------------------------


def test_the_debian_repository_is_signed_and_whole(served: Served, tmp_path: Path) -> None:
    distribution = served.distribution("debian-7")
    dist = f"{distribution.url.rstrip('/')}/dists/{distribution.suite}"
    release = get(f"{dist}/Release")
    fingerprint = served.fingerprint("repository-signer")
    assert any(fingerprint in line for line in served.verify(get(f"{dist}/Release.gpg"), release, tmp_path))
    assert any(fingerprint in line for line in served.verify(get(f"{dist}/InRelease"), None, tmp_path))
    assert release in get(f"{dist}/InRelease")
    sums = {
        line.split()[2]: line.split()[0] for line in release.decode().splitlines() if line.startswith(" ")
    }
    index = f"{distribution.section}/binary-{distribution.architecture}/Packages"
    packages = get(f"{dist}/{index}")
    assert hashlib.sha256(packages).hexdigest() == sums[index]
    assert gzip.decompress(get(f"{dist}/{index}.gz")) == packages
    stanzas = [
        dict(line.split(": ", 1) for line in stanza.splitlines())
        for stanza in packages.decode().split("\n\n")
    ]
    assert {(s["Package"], s["Version"], s["Architecture"]) for s in stanzas} == {
        (p.name, p.version, p.architecture) for p in distribution.packages
    }
    for stanza in stanzas:
        package = get(f"{distribution.url.rstrip('/')}/{stanza['Filename']}")
        assert hashlib.sha256(package).hexdigest() == stanza["SHA256"]


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="Debian's own reader is not installed")
def test_dpkg_reads_our_packages(served: Served) -> None:
    found = sorted((served.folder / "site" / "packages").rglob("*.deb"))
    assert found
    for path in found:
        name, version, architecture = path.stem.split("_")
        fields = run("dpkg-deb", "--field", str(path))
        assert f"Package: {name}\nVersion: {version}\nArchitecture: {architecture}\n" in fields
        assert f"./usr/bin/{name}" in run("dpkg-deb", "--contents", str(path))


def test_the_rpm_repository_is_signed_and_whole(served: Served, tmp_path: Path) -> None:
    distribution = served.distribution("fedora-16")
    repomd = get(f"{distribution.url}repodata/repomd.xml")
    status = served.verify(get(f"{distribution.url}repodata/repomd.xml.asc"), repomd, tmp_path)
    assert any(served.fingerprint("repository-signer") in line for line in status)
    common, repo = "{http://linux.duke.edu/metadata/common}", "{http://linux.duke.edu/metadata/repo}"
    data = {entry.get("type"): entry for entry in ET.fromstring(repomd).iter(f"{repo}data")}  # noqa: S314 - ours
    assert set(data) == {"primary", "filelists", "other"}
    for entry in data.values():
        location = entry.find(f"{repo}location")
        assert location is not None
        packed = get(distribution.url + str(location.get("href")))
        assert hashlib.sha256(packed).hexdigest() == entry.findtext(f"{repo}checksum")
        opened = gzip.decompress(packed)
        assert hashlib.sha256(opened).hexdigest() == entry.findtext(f"{repo}open-checksum")
        if entry.get("type") == "primary":
            primary = ET.fromstring(opened)  # noqa: S314 - ours
    found = set()
    for package in primary.iter(f"{common}package"):
        location, version = package.find(f"{common}location"), package.find(f"{common}version")
        assert location is not None
        assert version is not None
        content = get(distribution.url + str(location.get("href")))
        assert hashlib.sha256(content).hexdigest() == package.findtext(f"{common}checksum")
        name, full = str(package.findtext(f"{common}name")), f"{version.get('ver')}-{version.get('rel')}"
        assert rpm_identity(content) == (name, full, package.findtext(f"{common}arch"))
        found.add((name, full, package.findtext(f"{common}arch")))
    assert found == {(p.name, p.version, p.architecture) for p in distribution.packages}


def test_the_image_is_signed_listed_and_what_its_name_says(served: Served, tmp_path: Path) -> None:
    entry = served.distribution("node-image")
    (image,) = entry.packages
    assert entry.signature and entry.checksums and entry.checksums_signature  # noqa: PT018 - the page's three
    content, sums = get(entry.url), get(entry.checksums)
    assert hashlib.sha256(content).hexdigest() == image.sha256
    assert sums == f"{image.sha256}  {entry.url.rpartition('/')[2]}\n".encode()
    for signature, signed in ((entry.signature, content), (entry.checksums_signature, sums)):
        status = served.verify(get(signature), signed, tmp_path)
        assert any(served.fingerprint("repository-signer") in line for line in status)
    assert volume_of(content) == entry.volume_id == f"{image.name}-{image.version}"


def volume_of(content: bytes) -> str:
    """Read the volume id where ECMA-119 has it: in the sixteenth sector, which begins so."""
    primary = content[16 * 2048 : 17 * 2048]
    assert primary.startswith(b"\1CD001\1")
    return primary[40:72].decode("ascii").rstrip()


def rpm_identity(content: bytes) -> tuple[str, str, str]:
    """Read name, version-release and architecture out of an rpm's header; its digest must be right."""
    signature, after = rpm_header(content, 96)
    start = after + -after % 8
    header, end = rpm_header(content, start)
    assert signature[273] == hashlib.sha256(content[start:end]).hexdigest()
    return header[1000], f"{header[1001]}-{header[1002]}", header[1022]


def rpm_header(content: bytes, start: int) -> tuple[dict[int, str], int]:
    assert content[start : start + 4] == bytes.fromhex("8eade801")
    count, size = struct.unpack_from(">II", content, start + 8)
    store = start + 16 + 16 * count
    found = {}
    for index in range(count):
        tag, kind, offset, _ = struct.unpack_from(">4I", content, start + 16 + 16 * index)
        if kind == 6:
            found[tag] = content[store + offset : content.index(b"\0", store + offset)].decode()
    return found, store + size


# ---- faults --------------------------------------------------------------------------------------------------


def fault(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("spoilt", [name], indirect=True, ids=[name])


@fault("untagged-component")
def test_untagged_component(spoilt: Served) -> None:
    vdsm = spoilt.component("vdsm")
    assert not [name for name in refs(vdsm.repository) if name.startswith("refs/tags/")]
    engine = spoilt.component("ovirt-engine")
    assert refs(engine.repository)[f"refs/tags/{engine.tag}"] == engine.commit


@fault("tag-on-other-commit")
def test_tag_on_other_commit(spoilt: Served, tmp_path: Path) -> None:
    engine = spoilt.component("ovirt-engine")
    named = refs(engine.repository)[f"refs/tags/{engine.tag}"]
    assert named != engine.commit
    run("git", "clone", "--quiet", "--bare", "--", engine.repository, str(tmp_path / "clone"))
    trees = {run("git", "rev-parse", f"{c}^{{tree}}", cwd=tmp_path / "clone") for c in (named, engine.commit)}
    assert len(trees) == 1


@fault("unsigned-tarball")
def test_unsigned_tarball(spoilt: Served) -> None:
    assert status_of(spoilt.component("vdsm").tarball) == 200
    assert status_of(spoilt.component("vdsm").signature) == 404
    assert status_of(spoilt.component("ovirt-node").signature) == 200


@fault("tarball-signed-by-stranger")
def test_tarball_signed_by_stranger(spoilt: Served, tmp_path: Path) -> None:
    vdsm = spoilt.component("vdsm")
    status = spoilt.verify(get(vdsm.signature), get(vdsm.tarball), tmp_path)
    assert any(line.startswith("NO_PUBKEY ") for line in status)


@fault("expired-signing-key")
def test_expired_signing_key(spoilt: Served, tmp_path: Path) -> None:
    for name in COMPONENTS:
        component = spoilt.component(name)
        status = spoilt.verify(get(component.signature), get(component.tarball), tmp_path)
        assert any(line.startswith("EXPKEYSIG ") for line in status)
        assert not any(line.startswith("GOODSIG ") for line in status)
    made = next(line.split()[2] for line in status if line.startswith("VALIDSIG "))
    assert made == f"{datetime.now(UTC):%Y-%m-%d}"


@fault("tarball-differs-from-tag")
def test_tarball_differs_from_tag(spoilt: Served, tmp_path: Path) -> None:
    node = spoilt.component("ovirt-node")
    content = get(node.tarball)
    assert any(line.startswith("GOODSIG ") for line in spoilt.verify(get(node.signature), content, tmp_path))
    run("git", "clone", "--quiet", "--bare", "--", node.repository, str(tmp_path / "clone"))
    tree = run("git", "ls-tree", "-r", "--name-only", node.commit, cwd=tmp_path / "clone").split()
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        files = [m.name.removeprefix(f"{node.top_folder}/") for m in archive if m.isfile()]
    assert len(set(files) - set(tree)) == 1


@fault("notes-after-branch")
def test_notes_after_branch(spoilt: Served) -> None:
    branch_by = next(end_of(m.due) for m in spoilt.page.timeline if m.judged_by == "branch-date")
    assert [n for n in COMPONENTS if changed(spoilt.component(n).notes) > branch_by] == ["vdsm"]


@fault("binary-tarball-missing")
def test_binary_tarball_missing(spoilt: Served) -> None:
    node = spoilt.component("ovirt-node")
    assert "binary-tarball" in node.files
    assert node.binary_tarball is not None
    assert status_of(node.binary_tarball) == 404
    assert status_of(node.tarball) == 200


@fault("package-tampered")
def test_package_tampered(spoilt: Served) -> None:
    root = spoilt.folder / "site" / "packages" / "rpm" / "fedora-16"
    primary = gzip.decompress(next(root.glob("repodata/*-primary.xml.gz")).read_bytes()).decode()
    digests = {hashlib.sha256(p.read_bytes()).hexdigest(): p.name for p in root.rglob("*.rpm")}
    assert len([name for digest, name in digests.items() if digest not in primary]) == 1
    assert (root / "repodata" / "repomd.xml.asc").is_file()


@fault("repository-unsigned")
def test_repository_unsigned(spoilt: Served) -> None:
    dist = f"{spoilt.distribution('debian-7').url}/dists/ovirt-3.0"
    assert [status_of(f"{dist}/{name}") for name in ("Release", "InRelease", "Release.gpg")] == [
        200,
        404,
        404,
    ]
    assert status_of(f"{spoilt.distribution('fedora-16').url}repodata/repomd.xml.asc") == 200


@fault("image-of-other-release")
def test_image_of_other_release(spoilt: Served) -> None:
    entry = spoilt.distribution("node-image")
    content = get(entry.url)
    assert hashlib.sha256(content).hexdigest() == entry.packages[0].sha256
    assert volume_of(content) != entry.volume_id


@fault("image-signed-by-stranger")
def test_image_signed_by_stranger(spoilt: Served, tmp_path: Path) -> None:
    entry = spoilt.distribution("node-image")
    assert entry.signature and entry.checksums and entry.checksums_signature  # noqa: PT018 - the page's three
    status = spoilt.verify(get(entry.signature), get(entry.url), tmp_path)
    assert any(line.startswith("NO_PUBKEY ") for line in status)
    status = spoilt.verify(get(entry.checksums_signature), get(entry.checksums), tmp_path)
    assert any(line.startswith("GOODSIG ") for line in status)


@fault("pki-script-fails")
def test_a_broken_script_is_what_gets_published(spoilt: Served) -> None:
    engine = spoilt.component("ovirt-engine")
    with tarfile.open(fileobj=io.BytesIO(get(engine.tarball))) as archive:
        published = archive.extractfile(f"{engine.top_folder}/{scripts.PKI_SCRIPT}")
        assert published is not None
        assert published.read() != scripts.tree(frozenset())[scripts.PKI_SCRIPT][0]


def test_a_page_with_foreign_addresses_is_refused(tmp_path: Path) -> None:
    page = load_page(PAGE)
    away = page.components[0].model_copy(update={"tarball": "https://example.org/{name}-{version}.tar.gz"})
    page = page.model_copy(update={"components": (away,)})
    places = Places({"git": "http://127.0.0.1:1/git", "downloads": "http://127.0.0.1:1/downloads"}, tmp_path)
    plan = plan_components(page, places, {})[0]
    with pytest.raises(ReleaseError, match="the lab cannot serve"):
        places.path(plan.tarball)
