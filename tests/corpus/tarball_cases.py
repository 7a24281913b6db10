"""Tarballs that must not be accepted: not the candidate's, not signed, or not to be unpacked."""

from __future__ import annotations

import gzip
import tarfile
from typing import TYPE_CHECKING
from unittest.mock import patch

from pytest_ovirt_release.checks import unpacking
from tests.corpus.frame import Check, case
from tests.corpus.released import BASE, NAME, SPEC, TOP, Member, Release
from tests.corpus.workshop import Workshop
from tests.unit.checks.tars import folder, member, tar

if TYPE_CHECKING:
    from collections.abc import Sequence


def holding(shop: Workshop, *, bad: bool, evil: Sequence[Member], good: Sequence[Member] = ()) -> Check:
    """Return the check of a tarball that holds these members after the usual ones."""
    return Release(shop, (*BASE, *(evil if bad else good))).check()


def link(name: str, to: str) -> Member:
    """Return a symbolic link."""
    return member(f"{TOP}/{name}", type=tarfile.SYMTYPE, linkname=to)


@case("tarball", "tarball-missing")
def no_tarball(shop: Workshop, *, bad: bool) -> Check:
    """The file is not there."""
    release = Release(shop)
    if bad:
        release.remove(NAME)
    return release.check()


@case("tarball", "signature-missing")
def no_signature(shop: Workshop, *, bad: bool) -> Check:
    """The tarball is there, and nothing that speaks for it."""
    release = Release(shop)
    if bad:
        release.remove(f"{NAME}.sig")
    return release.check()


@case("tarball", "signature-of-other-file")
def the_signature_is_of_another_file(shop: Workshop, *, bad: bool) -> Check:
    """The file is what the candidate recorded, so nobody changed it; the signature is of something else."""
    release = Release(shop)
    if bad:
        shop.web.put(NAME, b"the tarball of rc1")
        release.sign(shop.signer)
        release.put(release.data)
    return release.check()


@case("tarball", "digest-differs")
def another_file_than_the_candidates_signed_again(shop: Workshop, *, bad: bool) -> Check:
    """The tarball was exchanged after the candidate was written, and properly signed."""
    release = Release(shop)
    if bad:
        release.put(gzip.compress(tar(*BASE, member(f"{TOP}/more")), mtime=0))
        release.sign(shop.signer)
    return release.check()


@case("tarball", "digest-differs")
def half_a_tarball(shop: Workshop, *, bad: bool) -> Check:
    """An upload broke off."""
    release = Release(shop)
    if bad:
        release.put(release.data[: len(release.data) // 2])
    return release.check()


@case("tarball", "not-in-candidate")
def a_tarball_that_the_candidate_does_not_know(shop: Workshop, *, bad: bool) -> Check:
    """The candidate records no such file."""
    release = Release(shop)
    return release.check(files={} if bad else {"tarball": release.recorded})


@case("tarball", "unreachable")
def a_site_in_trouble(shop: Workshop, *, bad: bool) -> Check:
    """An error says nothing about the release; a mirror would do."""
    release = Release(shop)
    shop.web.put(f"mirror/{NAME}", release.data)
    shop.web.answers[f"/down/{NAME}"] = lambda h: h.send(b"", 503)
    url = shop.web.url
    mirrors = () if bad else ((f"{url}/down", (f"{url}/mirror",)),)
    return release.check(tarball=f"{url}/down/{NAME}", mirrors=mirrors)


@case("tarball", "unreachable")
def a_mirror_with_other_bytes(shop: Workshop, *, bad: bool) -> Check:
    """A mirror neither proves nor disproves anything by holding something else."""
    release = Release(shop)
    shop.web.put(f"mirror/{NAME}", b"evil" if bad else release.data)
    shop.web.answers[f"/down/{NAME}"] = lambda h: h.send(b"", 503)
    url = shop.web.url
    return release.check(tarball=f"{url}/down/{NAME}", mirrors=((f"{url}/down", (f"{url}/mirror",)),))


# ---- what is inside ----------------------------------------------------------------------------------------


@case("tarball", "unsafe-member")
def a_member_that_leads_out(shop: Workshop, *, bad: bool) -> Check:
    """Dots that lead above the folder."""
    return holding(shop, bad=bad, evil=[member(f"{TOP}/../../x")], good=[member(f"{TOP}/..x")])


@case("tarball", "unsafe-member")
def an_absolute_member(shop: Workshop, *, bad: bool) -> Check:
    """A path from the root."""
    return holding(shop, bad=bad, evil=[member("/etc/x")], good=[member(f"{TOP}/etc")])


@case("tarball", "unsafe-member")
def a_link_that_leads_out(shop: Workshop, *, bad: bool) -> Check:
    """A link to a folder outside."""
    return holding(shop, bad=bad, evil=[link("l", "../../etc")], good=[link("l", "VERSION")])


@case("tarball", "unsafe-member")
def a_member_behind_a_link(shop: Workshop, *, bad: bool) -> Check:
    """A file that would be written through a link of the same archive."""
    inside = [folder(f"{TOP}/sub"), link("l", "sub"), member(f"{TOP}/l/x")]
    return holding(shop, bad=bad, evil=inside, good=[*inside[:2], member(f"{TOP}/sub/x")])


@case("tarball", "unsafe-member")
def a_hard_link(shop: Workshop, *, bad: bool) -> Check:
    """Release tarballs have none, and unpackers have had trouble with them."""
    evil = member(f"{TOP}/h", type=tarfile.LNKTYPE, linkname=f"{TOP}/VERSION")
    return holding(shop, bad=bad, evil=[evil], good=[link("h", "VERSION")])


@case("tarball", "unsafe-member")
def a_device(shop: Workshop, *, bad: bool) -> Check:
    """A device file."""
    return holding(shop, bad=bad, evil=[member(f"{TOP}/null", type=tarfile.CHRTYPE)])


@case("tarball", "unsafe-member")
def a_fifo(shop: Workshop, *, bad: bool) -> Check:
    """Who reads it waits for ever."""
    return holding(shop, bad=bad, evil=[member(f"{TOP}/fifo", type=tarfile.FIFOTYPE)])


@case("tarball", "unsafe-member")
def a_name_longer_than_any_file_system_takes(shop: Workshop, *, bad: bool) -> Check:
    """A name of 300 characters."""
    return holding(shop, bad=bad, evil=[member(f"{TOP}/{'n' * 300}")], good=[member(f"{TOP}/{'n' * 200}")])


@case("tarball", "duplicate-member")
def a_member_that_is_there_twice(shop: Workshop, *, bad: bool) -> Check:
    """Who looks at the first does not see what the second writes over it."""
    return holding(shop, bad=bad, evil=[member(f"{TOP}/VERSION", b"4.9.3 evil\n")])


@case("tarball", "wrong-top-folder")
def a_second_top_folder(shop: Workshop, *, bad: bool) -> Check:
    """A file beside the one folder."""
    return holding(shop, bad=bad, evil=[member("README")], good=[member(f"{TOP}/README")])


@case("tarball", "wrong-top-folder")
def the_folder_of_another_version(shop: Workshop, *, bad: bool) -> Check:
    """The tarball of the last version under the name of this one."""
    top = "vdsm-4.9.2" if bad else TOP
    return Release(shop, [folder(top), member(f"{top}/VERSION", b"4.9.3\n")]).check()


@case("tarball", "tarball-empty")
def an_empty_tarball(shop: Workshop, *, bad: bool) -> Check:
    """One folder and nothing in it."""
    return Release(shop, BASE[:1] if bad else BASE).check()


@case("tarball", "tarball-broken")
def something_else_than_a_tarball(shop: Workshop, *, bad: bool) -> Check:
    """Signed and recorded, and no tarball."""
    return Release(shop, packed=b"<html>not found</html>" if bad else None).check()


@case("tarball", "tarball-broken")
def bytes_hidden_after_the_end(shop: Workshop, *, bad: bool) -> Check:
    """Unpackers stop at the end mark and say nothing of what follows."""
    return Release(shop, packed=gzip.compress(tar(*BASE) + (b"hidden" if bad else b""), mtime=0)).check()


@case("tarball", "expands-too-far")
def a_bomb(shop: Workshop, *, bad: bool) -> Check:
    """A few kilobytes that become 40 MB."""
    return holding(
        shop, bad=bad, evil=[member(f"{TOP}/zeros", bytes(40_000_000))], good=[member(f"{TOP}/z", bytes(9))]
    )


@case("tarball", "too-many-members")
def more_members_than_anybody_packs(shop: Workshop, *, bad: bool) -> Check:
    """Empty files without number would fill a disk's table; the cap is lowered here, not to take minutes."""
    many = [member(f"{TOP}/{number}", b"") for number in range(100 if bad else 10)]
    check = Release(shop, [*BASE, *many]).check()

    def with_a_low_cap() -> None:
        with patch.object(unpacking, "LARGEST_COUNT", 50):
            check()

    return with_a_low_cap


@case("tarball", "version-differs")
def the_version_file_says_another_version(shop: Workshop, *, bad: bool) -> Check:
    """Packed from the wrong commit."""
    return Release(shop, [BASE[0], member(f"{TOP}/VERSION", b"4.9.2\n" if bad else b"4.9.3\n")]).check()


@case("tarball", "version-file-missing")
def no_version_file(shop: Workshop, *, bad: bool) -> Check:
    """The file that the page names was not packed."""
    return Release(shop, [BASE[0], member(f"{TOP}/{'README' if bad else 'VERSION'}", b"4.9.3\n")]).check()


@case("tarball", "spec-differs")
def the_spec_file_says_another_version(shop: Workshop, *, bad: bool) -> Check:
    """Distributions would build packages of another version."""
    spec = SPEC.replace(b"4.9.3", b"4.9.2") if bad else SPEC
    return Release(shop, [*BASE, member(f"{TOP}/vdsm.spec", spec)]).check(spec="vdsm.spec")


@case("tarball", "spec-missing")
def no_spec_file(shop: Workshop, *, bad: bool) -> Check:
    """The page says that there is one."""
    return Release(shop, [*BASE, *([] if bad else [member(f"{TOP}/vdsm.spec", SPEC)])]).check(
        spec="vdsm.spec"
    )
