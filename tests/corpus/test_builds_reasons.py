"""Every reason that the checks of builds and installation can give has its case in the corpus, or a word why not."""

from __future__ import annotations

from tests.corpus.test_corpus import CASES, codes_in

MODULES = (
    "packages/common", "packages/deb", "packages/rpm", "packages/iso", "packages/package_file", "packages/deb_file", "packages/rpm_file",
    "tls", "tls_old", "pki_resource", "certificate_files", "schema", "scripts", "expand",
)  # fmt: skip
NO_CASE = {
    "file-changed": "only another program on this machine can do that",
    "tls-too-old": "tests/unit/checks/test_tls.py has a server that speaks nothing newer",
    "version-query-fails": "tests/unit/checks/test_database.py has it: the page's query, not the release, is wrong",
    "no-upgrade-scripts": "a page that names a folder which the tarball lacks; tests/lab/test_installed.py has it",
    "tarball-broken": "of tarballs",
}
"""Reason codes that no case of the corpus gives, and why."""


def test_every_reason_of_builds_and_installation_has_a_case_or_a_word_why_not() -> None:
    known = set().union(*map(codes_in, MODULES))
    built = {case.code for case in CASES}
    assert len(known) > 30
    assert sorted(known - built - NO_CASE.keys()) == []
    assert sorted(NO_CASE.keys() - known) == []
