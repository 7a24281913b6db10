"""Detached signatures that must not be accepted."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.openpgp import SignerPolicy, judge, verify_clearsigned
from tests.corpus.frame import Check, case
from tests.corpus.workshop import DEADLINE, Workshop
from tests.unit.checks.signing import pin

if TYPE_CHECKING:
    from pathlib import Path


def tarball(shop: Workshop, name: str = "vdsm-4.9.3.tar.gz") -> Path:
    """Make a file to sign."""
    path = shop.folder / name
    path.write_bytes(b"the released bytes of " + name.encode() * 50)
    return path


def judging(shop: Workshop, signature: Path, data: Path, policy: SignerPolicy | None = None) -> Check:
    """Return the check: this signature must be accepted for these bytes."""
    wanted = policy or shop.policy()

    def check() -> None:
        judge(signature, data, wanted, now=shop.now, deadline=DEADLINE).must_be_accepted(data.name)

    return check


@case("openpgp", "bad-signature")
def one_byte_of_the_tarball_changed(shop: Workshop, *, bad: bool) -> Check:
    """A byte of the tarball was changed after it was signed."""
    data = tarball(shop)
    signature = shop.room.sign(data, shop.signer)
    if bad:
        data.write_bytes(data.read_bytes()[:-1] + b"X")
    return judging(shop, signature, data)


@case("openpgp", "weak-digest")
def signed_over_sha1(shop: Workshop, *, bad: bool) -> Check:
    """The signature is over SHA-1, which gpg calls good."""
    data = tarball(shop)
    options = ["--digest-algo", "SHA1" if bad else "SHA512"]
    return judging(shop, shop.room.sign(data, shop.signer, options=options), data)


@case("openpgp", "weak-digest")
def signed_over_md5(shop: Workshop, *, bad: bool) -> Check:
    """The signature is over MD5."""
    data = tarball(shop)
    options = ["--digest-algo", "MD5", "--allow-weak-digest-algos"] if bad else ["--digest-algo", "SHA256"]
    return judging(shop, shop.room.sign(data, shop.signer, options=options), data)


@case("openpgp", "unknown-signer")
def signed_by_a_stranger(shop: Workshop, *, bad: bool) -> Check:
    """Somebody signed whose key is not pinned."""
    data = tarball(shop)
    return judging(shop, shop.room.sign(data, shop.stranger if bad else shop.signer), data)


@case("openpgp", "unknown-signer")
def signed_by_a_stranger_of_the_same_name(shop: Workshop, *, bad: bool) -> Check:
    """Anybody can make a key with the signer's name and address."""
    data = tarball(shop)
    impostor = shop.room.make_key("Release Signer")
    return judging(shop, shop.room.sign(data, impostor if bad else shop.signer), data)


@case("openpgp", "not-authorised")
def signed_by_a_pinned_key_without_the_role(shop: Workshop, *, bad: bool) -> Check:
    """The key is known, and holds no role for tarballs."""
    data = tarball(shop)
    other = shop.keys.key("Other Pinned")
    policy = shop.room.policy(shop.folder, shop.signer, also_known=[other])
    return judging(shop, shop.room.sign(data, other if bad else shop.signer), data, policy)


@case("openpgp", "not-authorised")
def signed_by_a_subkey_of_another_key(shop: Workshop, *, bad: bool) -> Check:
    """A subkey counts as its primary key: here one that holds no role."""
    data = tarball(shop)
    owner = shop.keys.key("Subkey Owner")
    if not shop.room.gpg("--with-colons", "--list-keys", owner).count("\nsub:"):
        shop.room.gpg("--passphrase", "", "--quick-add-key", owner, "ed25519", "sign", "0")
    holder = shop.signer if bad else owner
    policy = shop.room.policy(shop.folder, holder, also_known=[owner, shop.signer])
    return judging(shop, shop.room.sign(data, owner), data, policy)


@case("openpgp", "expired-key")
def signed_after_the_key_expired(shop: Workshop, *, bad: bool) -> Check:
    """The pinned key had expired when it signed; its twin is pinned with the new date."""
    data = tarball(shop)
    key = shop.room.make_key("Expired Before", expires="2020-02-01", at="20200101T000000")
    old = shop.room.export(key)
    shop.room.gpg("--quick-set-expire", key, "0")
    pinned = pin(shop.folder / "key.asc", old if bad else shop.room.export(key))
    policy = SignerPolicy("release-signer", (key,), (pinned,))
    return judging(shop, shop.room.sign(data, key), data, policy)


@case("openpgp", "expired-key-lived")
def the_key_expired_since(shop: Workshop, *, bad: bool) -> Check:
    """The key was valid when it signed and has expired since: a release manager may accept that knowingly."""
    data = tarball(shop)
    key = shop.room.make_key("Expired Since", expires="2020-02-01" if bad else "0", at="20200101T000000")
    signature = shop.room.sign(data, key, at="20200115T000000")
    return judging(shop, signature, data, shop.room.policy(shop.folder, key))


@case("openpgp", "revoked-key")
def the_key_was_revoked(shop: Workshop, *, bad: bool) -> Check:
    """The exit code of gpg is 0 for a revoked key."""
    data = tarball(shop)
    key = shop.room.make_key("Revoked Later")
    signature = shop.room.sign(data, key)
    if bad:
        shop.room.revoke(key)
    return judging(shop, signature, data, shop.room.policy(shop.folder, key))


@case("openpgp", "expired-signature")
def the_signature_was_made_to_expire(shop: Workshop, *, bad: bool) -> Check:
    """The signature carries an end of its own."""
    data = tarball(shop)
    key = shop.room.make_key("Old Signer", at="20200101T000000")
    options = ["--default-sig-expire", "1d"] if bad else []
    signature = shop.room.sign(data, key, options=options, at="20200102T000000")
    return judging(shop, signature, data, shop.room.policy(shop.folder, key))


@case("openpgp", "future-dated")
def signed_in_2035(shop: Workshop, *, bad: bool) -> Check:
    """The date lies in the future, which gpg does not mind."""
    data = tarball(shop)
    at = "20350101T000000" if bad else None
    return judging(shop, shop.room.sign(data, shop.signer, at=at), data)


@case("openpgp", "too-early")
def signed_before_the_role_began(shop: Workshop, *, bad: bool) -> Check:
    """The key signed before it was given the role."""
    data = tarball(shop)
    began = shop.now + timedelta(minutes=5 if bad else -5)
    policy = shop.room.policy(shop.folder, shop.signer, not_before=began)
    return judging(shop, shop.room.sign(data, shop.signer), data, policy)


@case("openpgp", "wrong-class")
def signed_as_text(shop: Workshop, *, bad: bool) -> Check:
    """Text signatures ignore line ends, so they do not cover the file's bytes."""
    data = tarball(shop)
    return judging(shop, shop.room.sign(data, shop.signer, options=["--textmode"] if bad else []), data)


@case("openpgp", "too-few-signers")
def one_signed_where_two_have_to(shop: Workshop, *, bad: bool) -> Check:
    """The page wants two different holders of the role."""
    data = tarball(shop)
    second = shop.keys.key("Second Signer")
    policy = shop.room.policy(shop.folder, shop.signer, second, required=2)
    return judging(shop, shop.room.sign(data, shop.signer, *([] if bad else [second])), data, policy)


@case("openpgp", "too-few-signers")
def one_signed_twice_where_two_have_to(shop: Workshop, *, bad: bool) -> Check:
    """Two signatures by one person are one person."""
    data = tarball(shop)
    second = shop.keys.key("Second Signer")
    policy = shop.room.policy(shop.folder, shop.signer, second, required=2)
    first = shop.room.sign(data, shop.signer).read_bytes()
    signature = shop.room.sign(data, shop.signer if bad else second)
    signature.write_bytes(first + signature.read_bytes())
    return judging(shop, signature, data, policy)


@case("openpgp", "unknown-signer")
def a_stranger_signed_after_the_signer(shop: Workshop, *, bad: bool) -> Check:
    """A second signature counts, and the last one does not win."""
    data = tarball(shop)
    return judging(shop, shop.room.sign(data, shop.signer, *([shop.stranger] if bad else [])), data)


@case("openpgp", "unknown-signer")
def a_stranger_signed_before_the_signer(shop: Workshop, *, bad: bool) -> Check:
    """A second signature counts, and the first one does not win."""
    data = tarball(shop)
    return judging(shop, shop.room.sign(data, *([shop.stranger] if bad else []), shop.signer), data)


@case("openpgp", "bad-signature")
def one_of_two_signatures_is_of_another_file(shop: Workshop, *, bad: bool) -> Check:
    """A good signature does not excuse a bad one beside it."""
    data, other = tarball(shop), tarball(shop, "other.tar.gz")
    foreign = shop.room.sign(other if bad else data, shop.signer).read_bytes()
    signature = shop.room.sign(data, shop.signer)
    signature.write_bytes(signature.read_bytes() + foreign)
    return judging(shop, signature, data)


@case("openpgp", "signature-is-clearsigned")
def clearsigned_instead_of_detached(shop: Workshop, *, bad: bool) -> Check:
    """A clearsigned text verifies itself, whatever the tarball holds."""
    data = tarball(shop)
    clear = shop.room.clearsign(data, shop.signer, shop.folder / "clear.asc")
    return judging(shop, clear if bad else shop.room.sign(data, shop.signer), data)


@case("openpgp", "not-a-signature")
def a_signed_message_instead_of_a_signature(shop: Workshop, *, bad: bool) -> Check:
    """A signed message holds its own data, and gpg would verify that."""
    data, inline = tarball(shop), shop.folder / "inline.gpg"
    shop.room.gpg("--local-user", shop.signer, "--output", str(inline), "--sign", "--", str(data))
    return judging(shop, inline if bad else shop.room.sign(data, shop.signer), data)


@case("openpgp", "not-a-signature")
def a_key_instead_of_a_signature(shop: Workshop, *, bad: bool) -> Check:
    """Somebody uploaded the public key under the signature's name."""
    return replaced(shop, shop.room.export(shop.signer), bad=bad)


@case("openpgp", "signature-empty")
def an_empty_signature(shop: Workshop, *, bad: bool) -> Check:
    """The file is there and holds nothing."""
    return replaced(shop, b"", bad=bad)


@case("openpgp", "signature-is-web-page")
def a_404_page_instead_of_a_signature(shop: Workshop, *, bad: bool) -> Check:
    """Some sites answer 200 with a page that says 404."""
    return replaced(shop, b"\n<!DOCTYPE html>\n<html><title>404 Not Found</title></html>\n", bad=bad)


@case("openpgp", "signature-too-large")
def a_signature_of_a_megabyte(shop: Workshop, *, bad: bool) -> Check:
    """No signature is that large."""
    return replaced(shop, bytes(1_000_000), bad=bad)


@case("openpgp", "not-a-signature")
def a_signature_cut_in_half(shop: Workshop, *, bad: bool) -> Check:
    """An upload broke off."""
    data = tarball(shop)
    signature = shop.room.sign(data, shop.signer)
    if bad:
        signature.write_bytes(signature.read_bytes()[:60])
    return judging(shop, signature, data)


@case("openpgp", "not-a-signature")
def an_armoured_signature_with_text_around_it(shop: Workshop, *, bad: bool) -> Check:
    """In any text gpg looks for the armour."""
    data = tarball(shop)
    signature = shop.room.sign(data, shop.signer, armor=True)
    if bad:
        signature.write_bytes(b"Here it is:\n" + signature.read_bytes())
    return judging(shop, signature, data)


@case("openpgp", "damaged-signature")
def one_byte_of_the_signature_changed(shop: Workshop, *, bad: bool) -> Check:
    """The file is what was signed, and the signature was damaged."""
    data = tarball(shop)
    signature = shop.room.sign(data, shop.signer)
    good = signature.read_bytes()
    if bad:
        signature.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    return judging(shop, signature, data)


@case("openpgp", "signature-missing")
def no_signature(shop: Workshop, *, bad: bool) -> Check:
    """There is no file of that name."""
    data = tarball(shop)
    signature = shop.room.sign(data, shop.signer)
    if bad:
        signature.unlink()
    return judging(shop, signature, data)


@case("openpgp", "signer-unassigned")
def nobody_holds_the_role(shop: Workshop, *, bad: bool) -> Check:
    """The page does not say who signs: then nothing is proven, and nobody is to blame."""
    data = tarball(shop)
    policy = SignerPolicy("release-signer", (), (), page="page-1") if bad else shop.policy()
    return judging(shop, shop.room.sign(data, shop.signer), data, policy)


@case("openpgp", "not-clearsigned")
def text_before_a_clearsigned_text(shop: Workshop, *, bad: bool) -> Check:
    """Many parsers, and gpg, pass over what stands before the signed part, and then read it."""
    return clearsigned(shop, before=b"Suite: evil\n\n" if bad else b"")


@case("openpgp", "not-clearsigned")
def text_after_a_clearsigned_text(shop: Workshop, *, bad: bool) -> Check:
    """What stands after the signature is not signed."""
    return clearsigned(shop, after=b"\nSuite: evil\n" if bad else b"")


@case("openpgp", "bad-signature")
def a_word_of_a_clearsigned_text_changed(shop: Workshop, *, bad: bool) -> Check:
    """The text is not what was signed."""
    return clearsigned(shop, change=(b"stable", b"evil") if bad else (b"", b""))


def replaced(shop: Workshop, content: bytes, *, bad: bool) -> Check:
    """Return the check of a signature file that, when bad, holds something else."""
    data = tarball(shop)
    signature = shop.room.sign(data, shop.signer)
    if bad:
        signature.write_bytes(content)
    return judging(shop, signature, data)


def clearsigned(
    shop: Workshop, before: bytes = b"", after: bytes = b"", change: tuple[bytes, bytes] = (b"", b"")
) -> Check:
    """Return the check of a clearsigned text with something before, after or in it changed."""
    text = shop.folder / "Release"
    text.write_bytes(b"Suite: stable\nCodename: bookworm\n")
    path = shop.room.clearsign(text, shop.signer, shop.folder / "InRelease")
    path.write_bytes(before + path.read_bytes().replace(*change) + after)
    policy = shop.policy()

    def check() -> None:
        out = shop.folder / "signed"
        verify_clearsigned(path, out, policy, now=shop.now, deadline=DEADLINE).must_be_accepted(path.name)

    return check
