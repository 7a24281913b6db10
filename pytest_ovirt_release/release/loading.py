"""Read the data files of a release; all mistakes of one file are reported together."""

from __future__ import annotations

import hashlib
import re
import stat
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from pytest_ovirt_release.errors import DataFileError, ReleaseError
from pytest_ovirt_release.release.candidate import Candidate
from pytest_ovirt_release.release.crosscheck import duplicates, items, page_mistakes
from pytest_ovirt_release.release.mistakes import nearest, sentences, shown
from pytest_ovirt_release.release.page import Page, PageOverlay, Signer
from pytest_ovirt_release.release.resolved import expected_tag
from pytest_ovirt_release.release.waivers import Waivers, waiver_mistakes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

LARGEST = 1024 * 1024
"""Largest data file in bytes; a page is a few dozen KiB."""
MOST_DOTS = 64
"""Dots in one line of a data file: a key of many parts takes memory by the square of their number."""

ModelT = TypeVar("ModelT", bound=BaseModel)
_SCHEMA = re.compile(r"(?P<kind>[a-z-]+)/(?P<major>[0-9]{1,6})")


def load(
    path: Path, model: type[ModelT], cross_check: Callable[[Mapping[str, Any]], list[str]] | None = None
) -> ModelT:
    """Return a data file as a model; DataFileError holds every mistake of the file.

    `cross_check` gets the file's raw data and returns further mistakes.
    """
    return parse(read_bounded(path), path, model, cross_check)


def parse(
    content: bytes,
    path: Path,
    model: type[ModelT],
    cross_check: Callable[[Mapping[str, Any]], list[str]] | None = None,
) -> ModelT:
    """Return a data file's bytes as a model, as `load` does; `path` is how messages call it."""
    data = parse_toml(content, path)
    wrong_schema = _schema_mistake(data, model)
    if wrong_schema:
        # Every other finding would only follow from this one.
        raise DataFileError(path, [wrong_schema])
    further = cross_check(data) if cross_check else []
    try:
        loaded = model.model_validate(data)
    except ValidationError as error:
        raise DataFileError(path, [*sentences(error, data, model), *further]) from None
    if further:
        raise DataFileError(path, further)
    return loaded


def load_page(path: Path) -> Page:
    """Return a release page with the paths of its keys made absolute; DataFileError holds every mistake."""
    return parse_page(read_bounded(path), path)


def parse_page(content: bytes, path: Path) -> Page:
    """Return a release page's bytes as `load_page` does."""
    page = parse(content, path, Page, page_mistakes)
    return page.model_copy(update={"signers": _keys_beside(page.signers, path)})


def load_candidate(path: Path) -> Candidate:
    """Return a candidate; DataFileError holds every mistake."""
    return parse_candidate(read_bounded(path), path)


def parse_candidate(content: bytes, path: Path) -> Candidate:
    """Return a candidate's bytes as `load_candidate` does."""
    return parse(content, path, Candidate, _candidate_mistakes)


def parse_waivers(content: bytes, path: Path) -> Waivers:
    """Return a waiver file's bytes as a model; DataFileError holds every mistake."""
    return parse(content, path, Waivers, waiver_mistakes)


def load_overlay(path: Path) -> PageOverlay:
    """Return a page overlay; DataFileError holds every mistake."""
    return load(path, PageOverlay)


def find_page(pages_folder: Path, page_id: str) -> Path:
    """Return the file of the page with this id; ReleaseError lists the ids that are there."""
    if not pages_folder.is_dir():
        raise ReleaseError(f"{pages_folder}: no such folder; it should hold the release pages (*.toml)")
    found: dict[str, Path] = {}
    for file in sorted(pages_folder.glob("*.toml")):
        known = _page_id(file)
        if known in found:
            raise ReleaseError(
                f"{file}: page {known!r} stands in {found[known]} already; remove one of the two"
            )
        found[known] = file
    if page_id not in found:
        listed = ", ".join(found) or "none"
        raise ReleaseError(
            f"{pages_folder}: no release page {page_id!r}{nearest(page_id, found)}; there are: {listed}"
        )
    return found[page_id]


def check_candidate(page: Page, candidate: Candidate, path: Path = Path("candidate.toml")) -> None:
    """Raise DataFileError (about the candidate's file `path`) with all that does not fit its page."""
    mistakes = list(_misfits(page, candidate))
    if mistakes:
        raise DataFileError(path, mistakes)


def apply_overlay(page: Page, overlay: PageOverlay, overlay_path: Path) -> Page:
    """Return the page with the overlay's places and signers (by role) in place of its own.

    Raises DataFileError when the overlay is for another page, or names a place or role the page has not.
    """
    mistakes = []
    if overlay.page != page.id:
        mistakes.append(f"page: {overlay.page!r} is another page; this run is judged by {page.id!r}")
    roles = [signer.role for signer in page.signers]
    for kind, named, known in (
        ("places", overlay.places, list(page.places)),
        ("signers", [signer.role for signer in overlay.signers], roles),
    ):
        for name in named:
            if name not in known:
                allowed = ", ".join(known)
                mistakes.append(
                    f"{kind}: page {page.id} has no {name!r}{nearest(name, known)}; allowed: {allowed}"
                )
    if mistakes:
        raise DataFileError(overlay_path, mistakes)
    instead = {signer.role: signer for signer in _keys_beside(overlay.signers, overlay_path)}
    signers = tuple(instead.get(signer.role, signer) for signer in page.signers)
    # A mirror holds what its place holds; another place's files are not there.
    mirrors = {place: others for place, others in page.mirrors.items() if place not in overlay.places}
    places = {**page.places, **overlay.places}
    return page.model_copy(update={"places": places, "mirrors": mirrors, "signers": signers})


def with_mirrors(page: Page, mirrors: Mapping[str, str], target_file: Path) -> Page:
    """Return the page with other addresses of its places; what is fetched there is still held against the candidate.

    Raises DataFileError (about the target file) when the page has no such place, or the address is none.
    """
    mistakes = [
        f"mirrors: page {page.id} has no place {name!r}{nearest(name, list(page.places))}; "
        f"allowed: {', '.join(page.places) or 'none'}"
        for name in mirrors
        if name not in page.places
    ]
    mistakes += [
        f"mirrors.{name}: {shown(url)} is not allowed; allowed: http:// or https://, without a password"
        for name, url in mirrors.items()
        if not url.startswith(("http://", "https://")) or "@" in url
    ]
    if mistakes:
        raise DataFileError(target_file, mistakes)
    return page.model_copy(update={"places": {**page.places, **mirrors}})


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in lower-case hex; ReleaseError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ReleaseError(f"{path}: cannot be read: {error.strerror}") from error


def read_toml(path: Path) -> dict[str, Any]:
    """Return a TOML file's data; DataFileError says where it is not TOML, or why it cannot be read."""
    return parse_toml(read_bounded(path), path)


def parse_toml(content: bytes, path: Path) -> dict[str, Any]:
    """Return TOML as data; DataFileError says where it is none."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataFileError(path, [f"byte {error.start} is not UTF-8; save the file as UTF-8"]) from None
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > MOST_DOTS:
            raise DataFileError(
                path, [f"line {number} has more than {MOST_DOTS} dots; no data file of a release has"]
            )
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise DataFileError(path, ["not TOML: nested too deeply"]) from None
    except ValueError as error:  # TOMLDecodeError is one; a number of thousands of digits is another
        raise DataFileError(path, [f"not TOML: {error}"]) from None


def read_bounded(path: Path, largest: int = LARGEST) -> bytes:
    """Return the bytes of a regular file of at most `largest` bytes; DataFileError otherwise."""
    try:
        # Asked before opening: opening a named pipe would wait for a writer.
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "no regular file"
            raise DataFileError(path, [f"is {what}; name a file"])
        with path.open("rb") as file:
            content = file.read(largest + 1)
    except FileNotFoundError:
        raise DataFileError(path, ["there is no such file"]) from None
    except (OSError, ValueError) as error:
        raise DataFileError(path, [f"cannot be read: {getattr(error, 'strerror', None) or error}"]) from None
    if len(content) > largest:
        raise DataFileError(path, [f"is larger than {largest // 1024**2} MiB; no data file of a release is"])
    return content


def _schema_mistake(data: Mapping[str, Any], model: type[BaseModel]) -> str | None:
    field, given = model.model_fields.get("schema_name"), data.get("schema")
    if field is None or not isinstance(given, str):
        return None
    wanted = str(get_args(field.annotation)[0])
    if given == wanted:
        return None
    have, want = _SCHEMA.fullmatch(given), _SCHEMA.fullmatch(wanted)
    if have and want and have["kind"] == want["kind"]:
        if int(have["major"]) > int(want["major"]):
            return (
                f"schema: {shown(given)} was written for a newer version; this one reads {wanted!r}; upgrade"
            )
        return f"schema: {shown(given)} is from before the first release; this one reads {wanted!r}"
    return f"schema: {shown(given)} is another kind of file{nearest(given, [wanted])}; allowed: {wanted!r}"


def _page_id(file: Path) -> str:
    try:
        found = read_toml(file).get("id")
    except DataFileError:
        found = None  # a broken page is found by its file's name, so that loading it shows its mistakes
    return found if isinstance(found, str) else file.stem


def _keys_beside(signers: tuple[Signer, ...], path: Path) -> tuple[Signer, ...]:
    folder = path.resolve().parent
    return tuple(
        signer.model_copy(
            update={"keys": tuple(k.model_copy(update={"path": str(folder / k.path)}) for k in signer.keys)}
        )
        for signer in signers
    )


def _candidate_mistakes(data: Mapping[str, Any]) -> list[str]:
    mistakes = list(duplicates(data, "components", "name"))
    for where, component in items(data, "components"):
        mistakes += [f"{where}.{m}" for m in duplicates(component, "files", "kind")]
    return mistakes


def _misfits(page: Page, candidate: Candidate) -> Iterator[str]:
    if candidate.page != page.id:
        yield f"page: {candidate.page!r} is another page than {page.id!r}"
        return  # the rest would compare it with a page it was not written for
    if not re.match(rf"{re.escape(page.version)}(?![0-9])", candidate.version):
        yield f"version: {candidate.version!r} is no release of {page.version}; allowed: {page.version}, {page.version}.1 …"
    wanted = {component.name: component for component in page.components}
    for index, given in enumerate(candidate.components):
        where = f"components[{index} {given.name}]"
        if given.name not in wanted:
            yield f"{where}: page {page.id} has no such component{nearest(given.name, wanted)}; allowed: {', '.join(wanted)}"
            continue
        tag = expected_tag(page, wanted[given.name], given.version)
        if given.tag != tag:
            yield f"{where}.tag: {given.tag!r} does not fit version {given.version!r}; the page's pattern gives {tag!r}"
    for name in sorted(wanted.keys() - {given.name for given in candidate.components}):
        yield f"components: {name!r} is missing; page {page.id} lists it"
    yield from _package_misfits(page, candidate)


def _package_misfits(page: Page, candidate: Candidate) -> Iterator[str]:
    listed = {distribution.name: distribution.packages for distribution in page.distributions}
    for index, package in enumerate(candidate.packages):
        where = f"packages[{index} {package.name}]"
        if package.distribution not in listed:
            yield f"{where}.distribution: page {page.id} has no {package.distribution!r}; allowed: {', '.join(listed)}"
        elif package.name not in listed[package.distribution]:
            yield f"{where}: page {page.id} lists no such package for {package.distribution}"
