"""Tags, branches and version files that must not be taken for the release's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_ovirt_release.checks import source_tag
from pytest_ovirt_release.checks.git import fetch_treeless
from tests.corpus.frame import Check, case
from tests.corpus.workshop import DEADLINE, Workshop
from tests.unit.checks.releases import component
from tests.unit.checks.repositories import Repository

if TYPE_CHECKING:
    from pytest_ovirt_release.checks.signers import SignerPolicy

TAG = "v4.9.3"


class Source:
    """A repository with a release branch: `tagged` is its first own commit, and nothing is tagged yet."""

    def __init__(self, shop: Workshop) -> None:
        self.shop = shop
        self.repository = Repository(shop.web, "vdsm.git")
        self.repository.commit(VERSION="4.9.2\n")
        self.git("checkout", "-q", "-b", "release-3.0")
        self.tagged = self.repository.commit(VERSION="4.9.3\n")

    def git(self, *words: str) -> str:
        """Run git in the work tree."""
        return self.repository.git(*words)

    def sign_tag(self, name: str, signer: str) -> None:
        """Make a tag signed by a key of the workshop."""
        program = self.shop.folder / "gpg"
        program.write_text(f'#!/bin/sh\nGNUPGHOME={self.shop.room.home} exec gpg "$@"\n', encoding="ascii")
        program.chmod(0o755)
        self.git("-c", f"gpg.program={program}", "tag", "-u", signer, "-m", "release", name)

    def replace_tag_object(self, old: bytes, new: bytes) -> None:
        """Publish the tag's object with some of its bytes changed."""
        raw = self.git("cat-file", "tag", TAG).encode()
        path = self.shop.folder / "object"
        path.write_bytes(raw.replace(old, new))
        made = self.git("hash-object", "-t", "tag", "-w", "--literally", str(path)).strip()
        self.git("update-ref", f"refs/tags/{TAG}", made)

    def check(self, *, signed: bool = False, policy: SignerPolicy | None = None, **fields: Any) -> Check:
        """Publish all, and return the check that the suite makes."""
        self.repository.publish()
        page = {"signed_tag": signed}
        wanted = component(self.shop.web.url, commit=self.tagged, page_fields=page, **fields)
        signers = policy or self.shop.policy()

        def check() -> None:
            history = fetch_treeless(
                wanted.repository, wanted.tag, wanted.branch, self.shop.folder / "scratch", DEADLINE
            )
            tag = source_tag.tag_facts(wanted, history)
            source_tag.must_name_the_candidate(wanted, tag)
            verdict = source_tag.tag_signature(tag, signers, now=self.shop.now, deadline=DEADLINE)
            if signed or (verdict is not None and verdict.code in source_tag.FORGED):
                source_tag.must_be_signed(wanted, tag, verdict)
            source_tag.branch_must_contain(wanted, history)
            text = source_tag.version_file(wanted, history)
            source_tag.must_say_the_version(wanted, text or "")

        return check


@case("git", "tag-missing")
def no_tag(shop: Workshop, *, bad: bool) -> Check:
    """Nobody has tagged the release."""
    source = Source(shop)
    if not bad:
        source.git("tag", TAG)
    return source.check()


@case("git", "tag-missing")
def the_tags_name_is_only_the_end_of_another(shop: Workshop, *, bad: bool) -> Check:
    """Asked for a name, git shows refs that end like it: a branch, and tags in folders."""
    source = Source(shop)
    source.git("tag", f"evil/{TAG}" if bad else TAG)
    source.git("branch", TAG)
    return source.check()


@case("git", "tag-on-other-commit")
def the_tag_is_one_commit_late(shop: Workshop, *, bad: bool) -> Check:
    """Somebody committed after the candidate was written, and moved the tag."""
    source = Source(shop)
    if bad:
        source.repository.commit(LATE="1\n")
    source.git("tag", TAG)
    return source.check()


@case("git", "tag-moved")
def the_tag_was_made_anew_on_the_same_commit(shop: Workshop, *, bad: bool) -> Check:
    """The commit is the same, and yet it is not the tag that the candidate recorded."""
    source = Source(shop)
    source.git("tag", "-a", "-m", "release", TAG)
    recorded = source.git("rev-parse", TAG).strip()
    if bad:
        source.git("tag", "-a", "-f", "-m", "release, again", TAG)
    return source.check(tag_object=recorded)


@case("git", "tag-moved")
def a_lightweight_tag_became_an_annotated_one(shop: Workshop, *, bad: bool) -> Check:
    """What was a plain name is an object now."""
    source = Source(shop)
    if bad:
        source.git("tag", "-a", "-m", "release", TAG)
    else:
        source.git("tag", TAG)
    return source.check(tag_object=source.tagged)


@case("git", "tag-of-other-name")
def an_old_tag_under_a_new_name(shop: Workshop, *, bad: bool) -> Check:
    """A signed tag stays good under any name, so `git verify-tag` accepts it."""
    source = Source(shop)
    source.sign_tag("v4.9.2" if bad else TAG, shop.signer)
    if bad:
        source.git("update-ref", f"refs/tags/{TAG}", "refs/tags/v4.9.2")
    return source.check(signed=True)


@case("git", "tag-not-a-commit")
def the_tag_names_a_file(shop: Workshop, *, bad: bool) -> Check:
    """A tag may name anything."""
    source = Source(shop)
    source.git("tag", TAG, "HEAD:VERSION" if bad else "HEAD")
    return source.check()


@case("git", "tag-not-signed")
def an_annotated_tag_where_a_signed_one_is_asked_for(shop: Workshop, *, bad: bool) -> Check:
    """The page asks for signed tags."""
    source = Source(shop)
    if bad:
        source.git("tag", "-a", "-m", "release", TAG)
    else:
        source.sign_tag(TAG, shop.signer)
    return source.check(signed=True)


@case("git", "tag-not-signed")
def a_lightweight_tag_where_a_signed_one_is_asked_for(shop: Workshop, *, bad: bool) -> Check:
    """A lightweight tag cannot carry a signature."""
    source = Source(shop)
    if bad:
        source.git("tag", TAG)
    else:
        source.sign_tag(TAG, shop.signer)
    return source.check(signed=True)


@case("git", "unknown-signer")
def a_tag_signed_by_a_stranger(shop: Workshop, *, bad: bool) -> Check:
    """The tag is signed, by nobody who is known."""
    source = Source(shop)
    source.sign_tag(TAG, shop.stranger if bad else shop.signer)
    return source.check(signed=True)


@case("git", "not-authorised")
def a_tag_signed_without_the_role(shop: Workshop, *, bad: bool) -> Check:
    """The signer is known, and does not sign releases."""
    source, other = Source(shop), shop.keys.key("Other Pinned")
    source.sign_tag(TAG, other if bad else shop.signer)
    policy = shop.room.policy(shop.folder, shop.signer, also_known=[other])
    return source.check(signed=True, policy=policy)


@case("git", "bad-signature")
def a_signed_tag_that_names_another_commit(shop: Workshop, *, bad: bool) -> Check:
    """The signed text was changed: refused even where the page does not ask for signed tags."""
    source = Source(shop)
    older = source.git("rev-parse", "HEAD^").strip()
    source.sign_tag(TAG, shop.signer)
    if bad:
        source.replace_tag_object(source.tagged.encode(), older.encode())
        source.tagged = older
    return source.check()


@case("git", "branch-missing")
def no_release_branch(shop: Workshop, *, bad: bool) -> Check:
    """Tagged, and never branched."""
    source = Source(shop)
    source.git("tag", TAG)
    return source.check(branch="release-3.1" if bad else "release-3.0")


@case("git", "branch-without-tag")
def the_tag_is_beside_the_branch(shop: Workshop, *, bad: bool) -> Check:
    """The tagged commit was amended away: the branch no longer leads to it."""
    source = Source(shop)
    source.git("tag", TAG)
    if bad:
        source.git("commit", "-q", "--amend", "-m", "amended")
    source.repository.commit(MORE="1\n")
    return source.check()


@case("git", "branch-without-tag")
def the_branch_ends_before_the_tag(shop: Workshop, *, bad: bool) -> Check:
    """The tag was pushed and the branch was not."""
    source = Source(shop)
    source.git("tag", TAG)
    if bad:
        source.git("reset", "-q", "--hard", "HEAD^")
    return source.check()


@case("git", "version-differs")
def the_version_file_says_another_version(shop: Workshop, *, bad: bool) -> Check:
    """Nobody raised the version before the tag."""
    source = Source(shop)
    source.tagged = source.repository.commit(VERSION="4.9.31\n" if bad else "VERSION=4.9.3\n")
    source.git("tag", TAG)
    return source.check()


@case("git", "version-file-missing")
def no_version_file(shop: Workshop, *, bad: bool) -> Check:
    """The file that the page names is not there."""
    source = Source(shop)
    source.git("tag", TAG)
    return source.check(version_file="dist/VERSION" if bad else "VERSION")


@case("git", "version-file-too-large")
def a_version_file_of_megabytes(shop: Workshop, *, bad: bool) -> Check:
    """No version takes that many bytes."""
    source = Source(shop)
    source.tagged = source.repository.commit(VERSION="4.9.3\n" * (400_000 if bad else 1))
    source.git("tag", TAG)
    return source.check()


@case("git", "repository-missing")
def no_repository(shop: Workshop, *, bad: bool) -> Check:
    """The address of the page leads nowhere."""
    source = Source(shop)
    source.git("tag", TAG)
    return source.check(repository=f"{shop.web.url}/git/{'nothing' if bad else 'vdsm'}.git")


@case("git", "repository-empty")
def a_web_page_instead_of_a_repository(shop: Workshop, *, bad: bool) -> Check:
    """To git any page is a repository without refs."""
    source = Source(shop)
    source.git("tag", TAG)
    shop.web.put("page/info/refs", b"<html>sign in, please</html>")
    return source.check(repository=f"{shop.web.url}/{'page' if bad else 'git/vdsm.git'}")


@case("git", "unreachable")
def a_server_in_trouble(shop: Workshop, *, bad: bool) -> Check:
    """An error says nothing about the release."""
    source = Source(shop)
    source.git("tag", TAG)
    shop.web.answers["/broken/info/refs"] = lambda h: h.send(b"", 500)
    return source.check(repository=f"{shop.web.url}/{'broken' if bad else 'git/vdsm.git'}")
