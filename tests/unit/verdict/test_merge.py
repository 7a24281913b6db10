"""Many testers, one verdict: which runs are joined, which are refused, and what no archive can do to us."""

from __future__ import annotations

import gzip
import hashlib
import io
import itertools
import json
import os
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tomli_w

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.verdict import bundle
from pytest_ovirt_release.verdict.bundle import Altered, pack, read_bundle
from pytest_ovirt_release.verdict.contents import read_folder
from pytest_ovirt_release.verdict.journals import parse_run
from pytest_ovirt_release.verdict.merge import Chosen, merge
from pytest_ovirt_release.verdict.recompute import recompute
from pytest_ovirt_release.verdict.serial import verdict_json
from tests.unit.verdict.made import NOW, RunMaker, candidate, page, requirement
from tests.unit.verdict.test_table import ANN

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = page(requirement("a"), requirement("b", axis="component"), approvers=[ANN])
OPENED = {"kind": "opened", "at": "2026-11-22T00:00:00.000+00:00", "schema": "ovirt-release-journal/1"}


def toml(model: Any) -> bytes:
    return tomli_w.dumps(model.model_dump(mode="json", by_alias=True, exclude_none=True)).encode()


def dates(data: bytes) -> bytes:
    """Turn the dates of a dumped page back into TOML's own."""
    return data.replace(b'"2026-12-01"', b"2026-12-01").replace(
        b'"2026-11-22T12:00:00Z"', b"2026-11-22T12:00:00Z"
    )


CANDIDATES = {rc: dates(toml(candidate(rc=rc, components=[
    {"name": c.name, "version": "9.9", "tag": f"{c.name}-9.9", "commit": "1" * 40} for c in PAGE.components
]))) for rc in ("rc1", "rc2")}  # fmt: skip
PAGES = {"true": dates(toml(PAGE)), "other": dates(toml(PAGE)).replace(b"Title of a", b"Another title")}


def write_run(
    folder: Path,
    run: str = "r1",
    *,
    tester: str = "ann",
    rc: str = "rc1",
    page_name: str = "true",
    lab: bool = False,
    spoil: Callable[[RunMaker], object] = lambda _: None,
) -> Path:
    """Write a run folder as a run leaves it, sealed."""
    inputs = {"page.toml": PAGES[page_name], "candidate.toml": CANDIDATES[rc]}
    sha = {name: hashlib.sha256(data).hexdigest() for name, data in inputs.items()}
    maker = RunMaker(
        PAGE,
        run,
        tester=tester,
        lab=lab,
        page_sha256=sha["page.toml"],
        candidate_sha256=sha["candidate.toml"],
    ).all_pass()
    spoil(maker)
    (folder / "journal").mkdir(parents=True)
    for name, data in inputs.items():
        (folder / name).write_bytes(data)
    lines = [json.dumps(r) + "\n" for r in [{**OPENED, "run": run, "process": "controller"}, *maker.records]]
    before = "".join(lines).encode()
    seal = {"journal/controller.jsonl": {"sha256": hashlib.sha256(before).hexdigest(), "size": len(before)}}
    end = {"kind": "end", "at": maker.records[-1]["at"], "exit": 0, "complete": True, "files": seal}
    (folder / "journal" / "controller.jsonl").write_bytes(before + (json.dumps(end) + "\n").encode())
    assert parse_run(read_folder(folder)).damaged == ()
    return folder


def write_bundle(folder: Path, path: Path) -> Path:
    contents = read_folder(folder)
    path.write_bytes(pack(contents, folder))
    return path


def join(*paths: Path, **chosen: Any) -> Any:
    return merge(paths, Chosen(**chosen), as_of=NOW).verdict


def fail_a(maker: RunMaker) -> None:
    for record in maker.records:
        if record["kind"] == "report" and record["nodeid"] == "t.py::test_a" and record["when"] == "call":
            record.update(outcome="failed", error="CheckFailed", message="no")


def test_a_folder_and_its_bundle_are_the_same_run(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    packed = write_bundle(folder, tmp_path / "x.bundle.tar.gz")
    assert read_bundle(packed).digest() == read_folder(folder).digest()
    assert packed.read_bytes() == write_bundle(folder, tmp_path / "y").read_bytes()
    verdict = join(folder, packed)
    assert (verdict.verdict, len(verdict.runs), verdict.refused) == ("GO", 1, ())
    assert verdict_json(verdict) == verdict_json(recompute(folder, NOW))


def test_one_testers_pass_and_anothers_failure_are_a_conflict(tmp_path: Path) -> None:
    good = write_run(tmp_path / "good")
    bad = write_bundle(write_run(tmp_path / "bad", "r2", tester="bob", spoil=fail_a), tmp_path / "bad.tgz")
    verdict = join(good, bad)
    assert (verdict.verdict, verdict.requirements[0].state) == ("NO-GO", "conflict")


def test_order_and_repetition_change_nothing(tmp_path: Path) -> None:
    paths = [
        write_run(tmp_path / "one"),
        write_run(tmp_path / "two", "r2", tester="bob", spoil=fail_a),
        write_run(tmp_path / "lab", "r3", lab=True),
    ]
    paths.append(tmp_path / "junk")
    paths[-1].write_bytes(b"junk")
    texts = {verdict_json(join(*some, *some[:2])) for some in itertools.permutations(paths)}
    assert len(texts) == 1


def test_runs_that_do_not_belong_are_refused_and_listed(tmp_path: Path) -> None:
    mine = write_run(tmp_path / "mine")
    others = [
        write_run(tmp_path / "rc2", "r2", rc="rc2", spoil=fail_a),
        write_run(tmp_path / "page", "r3", page_name="other", spoil=fail_a),
        write_run(tmp_path / "lab", "r4", lab=True, spoil=fail_a),
    ]
    wanted = {
        "candidate": hashlib.sha256(CANDIDATES["rc1"]).hexdigest(),
        "page": hashlib.sha256(PAGES["true"]).hexdigest(),
    }
    verdict = join(mine, *others, **wanted)
    assert verdict.verdict == "GO"
    assert {Path(r.name).name: r.code for r in verdict.refused} == {
        "rc2": "other-candidate",
        "page": "other-page",
        "lab": "rehearsal",
    }
    assert {r.code for r in verdict.remarks} == {
        "refused-other-candidate",
        "refused-other-page",
        "refused-rehearsal",
    }


def test_runs_of_two_candidates_need_a_word_which(tmp_path: Path) -> None:
    paths = [write_run(tmp_path / "rc1"), write_run(tmp_path / "rc2", "r2", rc="rc2")]
    with pytest.raises(
        ReleaseError, match=r"2 different candidate\.toml; name the one to judge by --candidate"
    ):
        join(*paths)


def test_nothing_left_to_judge_is_invalid(tmp_path: Path) -> None:
    verdict = join(write_run(tmp_path / "run"), candidate="0" * 64)
    assert (verdict.verdict, verdict.refused[0].code) == ("INVALID", "other-candidate")


def test_the_same_run_with_two_contents_is_invalid(tmp_path: Path) -> None:
    one = write_run(tmp_path / "one")
    two = write_run(tmp_path / "two", spoil=fail_a)
    verdict = join(one, two)
    assert (verdict.verdict, verdict.reasons[0].code) == ("INVALID", "duplicate-run")


def test_a_killed_run_takes_nothing_from_another_and_proves_nothing_alone(tmp_path: Path) -> None:
    killed = write_run(tmp_path / "killed", "r2", tester="bob")
    path = killed / "journal" / "controller.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]) + b'{"kind":"rep')
    assert {r.code for r in join(killed).reasons} == {"run-not-finished", "torn-journal"}
    verdict = join(killed, write_run(tmp_path / "good"))
    assert verdict.verdict == "GO"
    assert {r.code for r in verdict.remarks} == {"run-not-finished", "torn-journal"}


def test_a_killed_run_with_a_failure_still_counts(tmp_path: Path) -> None:
    killed = write_run(tmp_path / "killed", "r2", tester="bob", spoil=fail_a)
    path = killed / "journal" / "controller.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    assert join(killed, write_run(tmp_path / "good")).verdict == "NO-GO"


# --- archives as an enemy would make them -------------------------------------------------------------------


def repack(
    path: Path, change: Callable[[tarfile.TarInfo, bytes], list[tuple[tarfile.TarInfo, bytes]]]
) -> Path:
    """Rewrite a bundle member by member."""
    out = io.BytesIO()
    with tarfile.open(path) as old, tarfile.open(fileobj=out, mode="w:gz") as new:
        for member in old:
            opened = old.extractfile(member)
            for info, data in change(member, opened.read() if opened else b""):
                info.size = len(data) if info.isreg() else 0
                new.addfile(info, io.BytesIO(data))
    path.write_bytes(out.getvalue())
    return path


def named(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def also(info: tarfile.TarInfo, data: bytes = b"") -> Any:
    """Return a change that adds one member after the journal."""
    return lambda m, d: [(m, d), (info, data)] if m.name.startswith("journal/") else [(m, d)]


HOSTILE: dict[str, tuple[Any, str]] = {
    "parent path": (also(named("../evil"), b"x"), "'../evil' is no file of a run"),
    "absolute path": (also(named("/etc/passwd"), b"x"), "is no file of a run"),
    "surprise": (also(named("waivers.toml"), b"x"), "is no file of a run"),
    "symbolic link": (also(named("evidence/x", tarfile.SYMTYPE, "/etc/passwd")), "is not a regular file"),
    "hard link": (also(named("evidence/x", tarfile.LNKTYPE, "page.toml")), "is not a regular file"),
    "device": (also(named("evidence/x", tarfile.CHRTYPE)), "is not a regular file"),
    "folder": (also(named("evidence", tarfile.DIRTYPE)), "is not a regular file"),
    "not in the manifest": (also(named("evidence/x"), b"x"), "is not what the manifest says"),
    "twice": (lambda m, d: [(m, d)] * (2 if m.name == "page.toml" else 1), "page.toml is in it twice"),
    "changed": (
        lambda m, d: [(m, d.replace(b'"passed"', b'"failed"') if m.name.startswith("journal") else d)],
        "was altered: its digest is not the manifest's",
    ),
    "missing": (lambda m, d: [] if m.name == "page.toml" else [(m, d)], "page.toml is not in it"),
    "no manifest": (
        lambda m, d: [] if m.name == "manifest.json" else [(m, d)],
        "its first file is not manifest.json",
    ),
    "broken manifest": (
        lambda m, d: [(m, b"{" if m.name == "manifest.json" else d)],
        "its manifest.json is broken",
    ),
    "newer manifest": (
        lambda m, d: [(m, d.replace(b"bundle/1", b"bundle/2") if m.name == "manifest.json" else d)],
        "was written by a newer version",
    ),
    "unknown key": (
        lambda m, d: [(m, d.replace(b'"files"', b'"x": 1, "files"', 1) if m.name == "manifest.json" else d)],
        "its manifest.json is broken",
    ),
    "not utf-8": (
        lambda m, d: [(m, b"\xff\xfe" if m.name == "manifest.json" else d)],
        "its manifest.json is broken",
    ),
}


@pytest.mark.parametrize(("change", "said"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_bundle_is_one_sentence_and_invalid(tmp_path: Path, change: Any, said: str) -> None:
    packed = repack(write_bundle(write_run(tmp_path / "run"), tmp_path / "x.tar.gz"), change)
    with pytest.raises(Altered) as caught:
        read_bundle(packed)
    assert said in str(caught.value)
    verdict = join(packed, write_run(tmp_path / "other", "r2"))
    assert (verdict.verdict, verdict.exit_code, verdict.reasons[0].code) == ("INVALID", 12, "altered-run")
    assert [r.code for r in verdict.refused] == ["altered"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["other", "run", "x.tar.gz"]


def test_an_archive_bomb_is_refused_long_before_it_has_unfolded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "LARGEST_UNPACKED", 1024 * 1024)
    path = tmp_path / "bomb.tar.gz"
    with gzip.open(path, "wb") as file:
        info = named("manifest.json")
        info.size = 50 * 1024 * 1024
        file.write(info.tobuf() + bytes(50 * 1024 * 1024))
    with pytest.raises(Altered, match="is no bundle"):
        read_bundle(path)

    def swell(member: tarfile.TarInfo, data: bytes) -> list[tuple[tarfile.TarInfo, bytes]]:
        return [(member, bytes(3_000_000) if member.name.startswith("journal") else data)]

    with pytest.raises(Altered, match="is not what the manifest says"):
        read_bundle(repack(write_bundle(write_run(tmp_path / "run"), tmp_path / "x"), swell))


def test_more_than_a_bundle_may_unfold_to_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = write_bundle(write_run(tmp_path / "run"), tmp_path / "x")
    monkeypatch.setattr(bundle, "LARGEST_UNPACKED", 2000)
    with pytest.raises(Altered, match="come out of it"):
        read_bundle(packed)


@pytest.mark.parametrize(
    "content",
    [b"", b"junk", b"\x1f\x8b", gzip.compress(b"junk", mtime=0), gzip.compress(b"", mtime=0)],
    ids=["empty", "junk", "two bytes", "gzip of junk", "gzip of nothing"],
)
def test_what_is_no_archive_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(Altered, match="is no bundle"):
        read_bundle(tmp_path / "x")


def test_a_bundle_cut_short_is_one_sentence_wherever_it_is_cut(tmp_path: Path) -> None:
    data = write_bundle(write_run(tmp_path / "run"), tmp_path / "x").read_bytes()
    for length in range(0, len(data) - 1, max(1, len(data) // 40)):
        (tmp_path / "cut").write_bytes(data[:length])
        with pytest.raises(Altered):
            read_bundle(tmp_path / "cut")


def test_every_flipped_byte_of_a_bundle_is_told_or_means_nothing(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    data = bytearray(write_bundle(folder, tmp_path / "x").read_bytes())
    digest = read_folder(folder).digest()
    for position in range(0, len(data), max(1, len(data) // 100)):
        flipped = bytearray(data)
        flipped[position] ^= 0x40
        (tmp_path / "flipped").write_bytes(flipped)
        try:
            assert read_bundle(tmp_path / "flipped").digest() == digest
        except Altered:
            continue


def test_links_and_pipes_are_never_followed(tmp_path: Path) -> None:
    packed = write_bundle(write_run(tmp_path / "run"), tmp_path / "x")
    (tmp_path / "link").symlink_to(packed)
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        with pytest.raises(Altered, match="is not a regular file"):
            read_bundle(tmp_path / name)
    with pytest.raises(ReleaseError, match="there is no such run"):
        join(tmp_path / "gone")


def test_a_file_of_100_mb_is_refused_without_reading_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "LARGEST_BUNDLE", 50 * 1024 * 1024)
    path = tmp_path / "x"
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    with pytest.raises(Altered, match="is larger than 50 MiB"):
        read_bundle(path)


def test_a_folder_altered_after_its_run_is_refused(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", spoil=fail_a)
    path = folder / "journal" / "controller.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"failed"', b'"passed"'))
    assert join(folder).reasons[0].code == "altered-run"
    folder = write_run(tmp_path / "page")
    (folder / "page.toml").write_bytes(PAGES["other"])
    assert "page.toml: is not the one" in join(folder).reasons[0].detail


def test_journals_of_two_runs_in_one_folder_are_refused(tmp_path: Path) -> None:
    one, two = write_run(tmp_path / "one"), write_run(tmp_path / "two", "r2")
    (one / "journal" / "gw0.jsonl").write_bytes((two / "journal" / "controller.jsonl").read_bytes())
    verdict = join(one)
    assert verdict.verdict == "INVALID"
    assert "journals of 2 runs in one place: r1, r2" in verdict.reasons[0].detail
