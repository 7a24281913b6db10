"""Every bad release of the corpus is refused with its reason, and its good twin passes the same check."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pytest_ovirt_release
from pytest_ovirt_release.errors import CheckFailed, Unproven
from tests.corpus.frame import Case, corpus, reason

if TYPE_CHECKING:
    from tests.corpus.workshop import Workshop

CASES = corpus()
CHECKS = Path(pytest_ovirt_release.__file__).parent / "checks"
SOURCES = ("git", "git_command", "git_scratch", "source_tag", "tag_object", "release_file", "checksums", "unpacking",
           "expand", "trees", "tree_version", "tarball", "notes", "notes_sources", "openpgp_reasons")  # fmt: skip
REFUSERS = {"CheckFailed", "super().__init__", "self.get", "_text"}
"""What takes a reason code as it is called."""

NO_CASE = {
    "good-signature": "no reason for a refusal",
    "repository-too-large": "a gigabyte; tests/unit/checks/test_git.py lowers the cap",
    "file-changed": "only another program on this machine can do that; tests/unit/checks/test_tarball.py does",
    "commit-missing": "the tag's check finds it first; tests/unit/checks/test_git.py asks for it",
    "tag-broken": "git refuses to store one; tests/unit/checks/test_hostile_bytes.py makes them",
    "tree-empty": "a tag's tree without a file; tests/unit/checks/test_tarball.py has it",
    "ambiguous-signatures": "gpg judges every signature it is given; tests/unit/checks/test_openpgp.py has its lines",
    "unverifiable": "gpg says more of whatever can be built; tests/unit/checks/test_openpgp.py has its lines",
}
"""Reason codes of source checks that no case of the corpus gives, and why."""
each_case = pytest.mark.parametrize("case", CASES, ids=[c.name for c in CASES])


def can_be_built(case: Case) -> None:
    if program := case.missing():
        pytest.skip(f"{program} is not installed, so {case.name} cannot be built")


@each_case
def test_the_bad_release_is_refused_with_its_reason(case: Case, shop: Workshop) -> None:
    can_be_built(case)
    check = case.build(shop, bad=True)
    with pytest.raises((CheckFailed, Unproven)) as caught:
        check()
    assert reason(caught.value) == case.code, str(caught.value)
    assert len(str(caught.value).split()) > 3, "the refusal has to be a sentence"


@each_case
def test_its_good_twin_passes(case: Case, shop: Workshop) -> None:
    can_be_built(case)
    case.build(shop, bad=False)()


def codes_in(module: str) -> set[str]:
    """Return the reason codes that a module of checks writes down."""
    tree = ast.parse((CHECKS / f"{module}.py").read_text(encoding="utf-8"))
    if module == "openpgp_reasons":
        found = [key for node in ast.walk(tree) if isinstance(node, ast.Dict) for key in node.keys]
    else:
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        found = [arg for call in calls if ast.unparse(call.func) in REFUSERS for arg in call.args]
    texts = {node.value for node in found if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text for text in texts if re.fullmatch(r"[a-z]+(-[a-z]+)+", text)}


def test_every_reason_of_the_source_checks_has_a_case_or_a_word_why_not() -> None:
    known = set().union(*map(codes_in, SOURCES))
    built = {case.code for case in CASES}
    assert len(known) > 40
    assert sorted(known - built - NO_CASE.keys()) == []
    assert sorted(NO_CASE.keys() & built) == []


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len(CASES) >= 80
