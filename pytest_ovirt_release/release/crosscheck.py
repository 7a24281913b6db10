"""What a page's parts say about each other: pure functions from the file's raw data to mistakes.

They read the raw data, not the model, so that a page with mistakes in both ways shows all of them at once.
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from pytest_ovirt_release.release.mistakes import item_key, nearest, plain, shown
from pytest_ovirt_release.release.order import cycle_in
from pytest_ovirt_release.release.page import end_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_KEYS = {
    "requirements": "id",
    "timeline": "id",
    "components": "name",
    "distributions": "name",
    "signers": "role",
    "approvers": "name",
    "gaps": "id",
    "open_questions": "id",
}
_COMPONENT_PATTERNS = (
    "repository", "tag", "branch", "version_file", "tarball", "signature", "checksums", "top_folder",
    "binary_tarball", "binary_signature", "checksums_signature", "spec", "notes",
)  # fmt: skip
_COMPONENT_NAMES = frozenset({"name", "version", "tag", "release"})
_TAG_NAMES = frozenset({"name", "version"})
_DISTRIBUTION_NAMES = frozenset({"name", "version", "release"})
_IMAGE_PATTERNS = ("signature", "checksums", "checksums_signature", "volume_id")
_SCRIPT_NAMES = frozenset({"source", "out", "host"})
_DATABASE_NAMES = _SCRIPT_NAMES | {"db_host", "db_port", "db_user", "db_name"}


def page_mistakes(data: Mapping[str, Any]) -> list[str]:
    """Return one sentence for each contradiction inside a page's raw data."""
    return [
        *_duplicates(data),
        *_requirements(data),
        *_timeline(data),
        *_references(data),
        *_belonging(data),
        *_distributions(data),
        *_patterns(data),
        *_engine(data),
    ]


def items(data: Mapping[str, Any], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the key and the table of each item of a list of tables; what is none is the model's business."""
    listed = data.get(name)
    for index, item in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(item, dict):
            yield item_key(name, index, item), item


def names(data: Mapping[str, Any], name: str) -> list[str]:
    """Return the names (`id`, `name` or `role`) of a list's items, in the file's order."""
    return [item[_KEYS[name]] for _, item in items(data, name) if isinstance(item.get(_KEYS[name]), str)]


def duplicates(data: Mapping[str, Any], name: str, key: str) -> Iterator[str]:
    """Yield a sentence for each item whose `key` stands in an earlier item already."""
    seen: set[str] = set()
    for where, item in items(data, name):
        value = item.get(key)
        if isinstance(value, str):
            if value in seen:
                yield f"{where}.{key}: {shown(value)} stands here twice; each {key} must be there once"
            seen.add(value)


def unknown(where: str, value: object, known: Iterable[str], what: str) -> Iterator[str]:
    """Yield a sentence when a text refers to nothing that is known."""
    listed = list(known)
    if isinstance(value, str) and value not in listed:
        allowed = ", ".join(map(plain, listed)) or "none"
        yield f"{where}: {shown(value)} is no {what} of this page{nearest(value, listed)}; allowed: {allowed}"


def texts(value: object) -> list[str]:
    """Return the texts of a list, and nothing of what is no list."""
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []


def _duplicates(data: Mapping[str, Any]) -> Iterator[str]:
    for name, key in _KEYS.items():
        yield from duplicates(data, name, key)


def _requirements(data: Mapping[str, Any]) -> Iterator[str]:
    known = names(data, "requirements")
    needs: dict[str, list[str]] = {}
    for where, item in items(data, "requirements"):
        for need in texts(item.get("needs")):
            yield from unknown(f"{where}.needs", need, known, "requirement")
        yield from unknown(f"{where}.signed_by", item.get("signed_by"), names(data, "signers"), "role")
        if isinstance(item.get("id"), str):
            needs[item["id"]] = texts(item.get("needs"))
        yield from _axis(data, where, item)
    circle = cycle_in(needs)
    if circle:
        yield f"requirements: {' needs '.join(map(plain, circle))}; a requirement cannot wait for itself"
    if not any(item.get("level") == "must" for _, item in items(data, "requirements")):
        yield "requirements: no requirement has level 'must'; a page that demands nothing would always be met"


def _axis(data: Mapping[str, Any], where: str, item: Mapping[str, Any]) -> Iterator[str]:
    listed = {"component": "components", "distribution": "distributions"}.get(str(item.get("axis")))
    values = names(data, listed) if listed else []
    if listed and not values:
        yield f"{where}.axis: {shown(item['axis'])} has no values; the page lists no {listed}"
    exempt = item.get("not_applicable")
    for value in exempt if isinstance(exempt, dict) else ():
        if value == "*" or item.get("axis") == "node":  # the nodes stand in the target, not on the page
            continue
        yield from unknown(f"{where}.not_applicable", value, ["*", *values], "axis value")


def _timeline(data: Mapping[str, Any]) -> Iterator[str]:
    due = {
        item["id"]: item.get("due") for _, item in items(data, "timeline") if isinstance(item.get("id"), str)
    }
    for where, item in items(data, "timeline"):
        yield from unknown(
            f"{where}.component", item.get("component"), names(data, "components"), "component"
        )
        if item.get("judged_by") == "tag-date" and not item.get("component"):
            yield f"{where}.component: missing; a milestone judged by tag-date needs the component that is tagged"
        later = item.get("before")
        yield from unknown(f"{where}.before", later, due, "milestone")
        mine, other = item.get("due"), due.get(later) if isinstance(later, str) else None
        if mine and other and _is_after(mine, other):
            yield f"{where}.due: {shown(mine)} is not before {later!r} ({shown(other)}), as `before` asks"


def _is_after(mine: object, other: object) -> bool:
    try:
        return end_of(mine) >= end_of(other)  # type: ignore[arg-type]  # raw data: no date is the model's business
    except (TypeError, AttributeError, OverflowError):
        return False


def _references(data: Mapping[str, Any]) -> Iterator[str]:
    for where, item in items(data, "gaps"):
        for requirement in texts(item.get("requirements")):
            yield from unknown(
                f"{where}.requirements", requirement, names(data, "requirements"), "requirement"
            )
    for where, item in items(data, "open_questions"):
        yield from unknown(
            f"{where}.answered_by_role", item.get("answered_by_role"), names(data, "signers"), "role"
        )
    for where, script in _scripts(data):
        yield from unknown(
            f"{where}.component", script.get("component"), names(data, "components"), "component"
        )


def _belonging(data: Mapping[str, Any]) -> Iterator[str]:
    for where, item in items(data, "components"):
        if bool(item.get("binary_tarball")) != bool(item.get("binary_signature")):
            yield f"{where}: binary_tarball and binary_signature belong together; give both or neither"
        if item.get("checksums_signature") and not item.get("checksums"):
            yield f"{where}.checksums_signature: there is no checksums that it could be of"
    mirrors = data.get("mirrors")
    for place in mirrors if isinstance(mirrors, dict) else ():
        known = data.get("places")
        yield from unknown("mirrors", place, known if isinstance(known, dict) else (), "place")


def _distributions(data: Mapping[str, Any]) -> Iterator[str]:
    for where, item in items(data, "distributions"):
        if item.get("kind") == "deb" and not item.get("suite"):
            yield f"{where}.suite: missing; a deb repository needs the name of its suite"
        role = item.get("packages_signed_by")
        yield from unknown(f"{where}.packages_signed_by", role, names(data, "signers"), "role")
        if role and item.get("kind") != "rpm":
            yield f"{where}.packages_signed_by: only rpm packages carry signatures of their own"
        if item.get("kind") == "iso" and len(texts(item.get("packages"))) != 1:
            yield f"{where}.packages: an iso entry names exactly one image"
        for key in _IMAGE_PATTERNS:
            if item.get(key) is not None and item.get("kind") != "iso":
                yield f"{where}.{key}: only an iso entry has one"


def _scripts(data: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    scripts = data.get("scripts")
    for name in ("pki", "database"):
        script = scripts.get(name) if isinstance(scripts, dict) else None
        if isinstance(script, dict):
            yield f"scripts.{name}", script


def _patterns(data: Mapping[str, Any]) -> Iterator[str]:
    listed = data.get("places")
    places = {str(name) for name in listed} if isinstance(listed, dict) else set()
    for name in sorted(places & _COMPONENT_NAMES):
        yield f"places.{name}: {{{name}}} has a meaning of its own in patterns; choose another name"
    for where, item in items(data, "components"):
        for key in _COMPONENT_PATTERNS:
            own = _TAG_NAMES if key == "tag" else _COMPONENT_NAMES
            yield from _pattern(f"{where}.{key}", item.get(key), places | own)
        for pattern in texts(item.get("generated")):
            yield from _pattern(f"{where}.generated", pattern, places | _COMPONENT_NAMES)
    for where, item in items(data, "distributions"):
        own = _DISTRIBUTION_NAMES | ({"architecture"} if item.get("kind") == "iso" else set())
        for key in ("url", *_IMAGE_PATTERNS):
            yield from _pattern(f"{where}.{key}", item.get(key), places | own)
    for where, script in _scripts(data):
        for word in texts(script.get("command")):
            known = _DATABASE_NAMES if where.endswith("database") else _SCRIPT_NAMES
            yield from _pattern(f"{where}.command", word, known)


def _pattern(where: str, pattern: object, known: Iterable[str]) -> Iterator[str]:
    if not isinstance(pattern, str):
        return
    try:
        parts = list(string.Formatter().parse(pattern))
    except ValueError as error:
        yield f"{where}: {shown(pattern)} is no pattern: {error}"
        return
    listed = sorted(known)
    for _, name, form, conversion in parts:
        if name is None:
            continue
        if name not in listed or form or conversion:
            allowed = ", ".join(f"{{{plain(k)}}}" for k in listed)
            yield f"{where}: {{{plain(name)}}} in {shown(pattern)} is not known{nearest(name, listed)}; allowed: {allowed}"


def _engine(data: Mapping[str, Any]) -> Iterator[str]:
    engine = data.get("engine")
    if isinstance(engine, str):
        try:
            SpecifierSet(engine)
        except InvalidSpecifier:
            yield f"engine: {shown(engine)} is not allowed; allowed: versions such as '>=4.5,<5'"
