"""What makes a component's tag the release's: name, commit, object, signature, branch, version file."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.notes import mentions
from pytest_ovirt_release.checks.openpgp import SignatureVerdict, SignerPolicy, judge
from pytest_ovirt_release.checks.tag_object import TagObject, parse_tag
from pytest_ovirt_release.errors import CheckFailed

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_ovirt_release.checks.git import History
    from pytest_ovirt_release.release.resolved import ComponentUnderTest

FORGED = frozenset({"bad-signature", "damaged-signature"})
"""A signature that was made for something else: no page has to ask for signed tags to refuse such a one."""


@dataclass(frozen=True)
class TagFacts:
    """A tag as it was found: `kind` is lightweight, annotated, or signed and how; `at` with where it was read."""

    ref: str
    kind: str
    object: str
    commit: str
    at: datetime
    date_source: str
    own: TagObject | None


def tag_facts(component: ComponentUnderTest, history: History) -> TagFacts:
    """Return what the tag is; CheckFailed(`tag-missing`, `tag-broken`) when it is not there or no tag."""
    tagged, raw = history.tagged_at(), history.tag_object()
    if history.tag is None or tagged is None:
        raise CheckFailed("tag-missing", f"{component.repository} has no tag {component.tag}")
    own = parse_tag(raw) if raw is not None else None
    kind = "lightweight" if own is None else f"signed ({own.form})" if own.form else "annotated"
    source = "tagger date" if own else "committer date"
    return TagFacts(history.tag.ref, kind, history.tag.object, tagged.commit, tagged.at, source, own)


def must_name_the_candidate(component: ComponentUnderTest, tag: TagFacts) -> None:
    """Raise CheckFailed unless the tag is the very one that the candidate recorded.

    Raises:
        CheckFailed: `tag-on-other-commit`, `tag-moved`, or `tag-of-other-name` for an old tag under a new name.
    """
    if tag.commit != component.commit:
        raise CheckFailed(
            "tag-on-other-commit",
            f"tag {component.tag} names commit {tag.commit}, the candidate says {component.commit}",
        )
    if component.tag_object not in (None, tag.object):
        raise CheckFailed(
            "tag-moved",
            f"tag {component.tag} was {component.tag_object} when the candidate was written and is {tag.object} now: "
            f"somebody made it anew",
        )
    if tag.own is not None and tag.own.name != component.tag:
        raise CheckFailed(
            "tag-of-other-name",
            f"what {component.repository} publishes as {component.tag} is tag {tag.own.name!r} under another name",
        )


def tag_signature(
    tag: TagFacts, policy: SignerPolicy, *, now: datetime, deadline: float
) -> SignatureVerdict | None:
    """Judge the OpenPGP signature inside a tag; None when it has none. Raises as `openpgp.judge`."""
    if tag.own is None or tag.own.signature is None or tag.own.form != "openpgp":
        return None
    with tempfile.TemporaryDirectory(prefix="tag-") as folder:
        signature, payload = Path(folder, "tag.sig"), Path(folder, "tag")
        signature.write_bytes(tag.own.signature)
        payload.write_bytes(tag.own.payload)
        return judge(signature, payload, policy, now=now, deadline=deadline)


def must_be_signed(component: ComponentUnderTest, tag: TagFacts, verdict: SignatureVerdict | None) -> None:
    """Raise CheckFailed unless a release signer signed the tag; `tag-not-signed` when nobody did with OpenPGP."""
    if verdict is None:
        raise CheckFailed(
            "tag-not-signed", f"tag {component.tag} is {tag.kind}; the page asks for one signed with OpenPGP"
        )
    verdict.must_be_accepted(f"tag {component.tag} of {component.repository}")


def branch_must_contain(component: ComponentUnderTest, history: History) -> None:
    """Raise CheckFailed(`branch-missing`, `branch-without-tag`) unless the release branch leads to the tag."""
    if history.branch is None:
        raise CheckFailed("branch-missing", f"{component.repository} has no branch {component.branch}")
    if not history.branch_contains_tag():
        raise CheckFailed(
            "branch-without-tag", f"branch {component.branch} does not contain commit {component.commit}"
        )


def version_file(component: ComponentUnderTest, history: History) -> str | None:
    """Return the version file's text at the tag, None when the page names none; CheckFailed(`version-file-missing`)."""
    if component.version_file is None:
        return None
    text = history.text_at(component.commit, component.version_file)
    if text is None:
        raise CheckFailed(
            "version-file-missing", f"there is no {component.version_file} at tag {component.tag}"
        )
    return text


def must_say_the_version(component: ComponentUnderTest, text: str) -> None:
    """Raise CheckFailed(`version-differs`) unless the version file's text names the component's version."""
    if not mentions(text, component.version):
        raise CheckFailed(
            "version-differs",
            f"{component.version_file} at tag {component.tag} does not say {component.version}",
        )
