"""Signatures are judged by the signer policy, not by gpg's exit code."""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ovirt_release.checks.openpgp import (
    LARGEST_SIGNATURE,
    SignatureVerdict,
    SignerPolicy,
    SignerUnassigned,
    judge,
    policy_for,
    sha256_of,
    verify_clearsigned,
)
from pytest_ovirt_release.checks.openpgp_packets import NotOpenPgp, packet_tags, signature_packets
from pytest_ovirt_release.checks.openpgp_status import BAD_KEYWORDS, GOOD, judge_status
from pytest_ovirt_release.errors import CheckFailed, ReleaseError
from pytest_ovirt_release.local.processes import OutOfTime
from pytest_ovirt_release.release.loading import load_page
from pytest_ovirt_release.release.page import KeyFile, Signer
from tests.unit.checks.signing import KeyRoom, pin

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[3] / "acceptance" / "releases" / "ovirt-3.0.toml"


@dataclass(frozen=True)
class Cast:
    """The keys of this file: `signer` holds the role, `other` is pinned without a role, `stranger` is unknown."""

    room: KeyRoom
    signer: str
    other: str
    stranger: str


@pytest.fixture(scope="module")
def cast() -> Iterator[Cast]:
    room = KeyRoom()
    yield Cast(room, room.make_key("Signer One"), room.make_key("Other Two"), room.make_key("Stranger Three"))
    room.close()


@pytest.fixture
def tarball(tmp_path: Path) -> Path:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(b"the released bytes\n" * 100)
    return path


@pytest.fixture
def policy(cast: Cast, tmp_path: Path) -> SignerPolicy:
    return cast.room.policy(tmp_path, cast.signer, also_known=[cast.other])


def judged(signature: Path, data: Path, policy: SignerPolicy) -> SignatureVerdict:
    return judge(signature, data, policy, now=datetime.now(UTC), deadline=30)


@pytest.mark.parametrize("armor", [False, True])
def test_a_signature_by_the_role_holder_is_accepted_with_its_facts(
    cast: Cast, tarball: Path, policy: SignerPolicy, *, armor: bool
) -> None:
    verdict = judged(cast.room.sign(tarball, cast.signer, armor=armor), tarball, policy)
    assert (verdict.accepted, verdict.code, verdict.signer) == (True, GOOD, cast.signer)
    assert verdict.data_sha256 == sha256_of(tarball)
    assert verdict.signed_at is not None
    assert abs(verdict.signed_at - datetime.now(UTC)) < timedelta(hours=1)
    assert verdict.uids == ("Signer One <signer@example.org>",)
    assert verdict.blocks[0].digest.startswith("SHA")
    assert SignatureVerdict.model_validate_json(verdict.model_dump_json()) == verdict


def test_nothing_of_gpg_is_left_behind(
    cast: Cast, tarball: Path, policy: SignerPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    signature = cast.room.sign(tarball, cast.signer)
    made: list[Path] = []
    make = tempfile.mkdtemp

    def noted(**how: str) -> str:
        made.append(Path(make(**how)))
        return str(made[-1])

    monkeypatch.setattr(tempfile, "mkdtemp", noted)
    assert judged(signature, tarball, policy).accepted
    assert len(made) == 1
    assert not made[0].exists()


def test_keys_that_the_user_trusts_do_not_count_and_no_agent_stays(
    cast: Cast, tarball: Path, policy: SignerPolicy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    signature = cast.room.sign(tarball, cast.stranger)
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GNUPGHOME", str(cast.room.home))
    before = agents()
    assert judged(signature, tarball, policy).code == "unknown-signer"
    assert agents() == before
    assert list(home.iterdir()) == []


def agents() -> set[str]:
    """Return the homes for which a program of gpg runs in the background."""
    running = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().split(b"\0")
            if words[0].endswith((b"gpg-agent", b"dirmngr", b"keyboxd")) and any(
                b"/gpg-" in w for w in words
            ):
                running.add(b" ".join(words).decode("utf-8", "replace"))
    return running


def test_tampered_data_is_bad_even_when_an_unknown_signature_stands_beside(
    cast: Cast, tarball: Path, policy: SignerPolicy
) -> None:
    signature = cast.room.sign(tarball, cast.signer, cast.stranger)
    tarball.write_bytes(tarball.read_bytes() + b"x")
    verdict = judged(signature, tarball, replace(policy, tolerate_others=True))
    assert (verdict.accepted, verdict.code) == (False, "bad-signature")


def test_a_stranger_and_a_known_key_without_the_role_are_told_apart(
    cast: Cast, tarball: Path, policy: SignerPolicy
) -> None:
    assert judged(cast.room.sign(tarball, cast.stranger), tarball, policy).code == "unknown-signer"
    verdict = judged(cast.room.sign(tarball, cast.other), tarball, policy)
    assert verdict.code == "not-authorised"
    assert "Other Two" in verdict.sentence
    assert verdict.signer is None


def test_who_signs_something_else_is_told_by_role(cast: Cast, tarball: Path, tmp_path: Path) -> None:
    def held(role: str, fingerprint: str) -> Signer:
        (key,) = cast.room.pin(tmp_path, fingerprint)
        keys = (KeyFile(path=str(key.path), sha256=key.sha256),)
        return Signer(role=role, title=role, fingerprints=(fingerprint,), keys=keys)

    people = (held("release-signer", cast.signer), held("repository-signer", cast.other))
    page = load_page(PAGE).model_copy(update={"signers": people})
    signature = cast.room.sign(tarball, cast.other)
    verdict = judged(signature, tarball, policy_for(page, "release-signer"))
    assert verdict.code == "not-authorised"
    assert "does not hold the role release-signer but repository-signer" in verdict.sentence
    assert judged(signature, tarball, policy_for(page, "repository-signer")).accepted
    assert policy_for(page, "nobody").keys == ()


@pytest.mark.parametrize("signer_first", [True, False])
@pytest.mark.parametrize(("second", "code"), [("stranger", "unknown-signer"), ("other", "not-authorised")])
def test_a_second_signature_counts_whatever_the_order(
    cast: Cast, tarball: Path, policy: SignerPolicy, second: str, code: str, *, signer_first: bool
) -> None:
    pair = [cast.signer, getattr(cast, second)]
    signature = cast.room.sign(tarball, *(pair if signer_first else pair[::-1]))
    assert judged(signature, tarball, policy).code == code
    tolerant = judged(signature, tarball, replace(policy, tolerate_others=True))
    assert tolerant.accepted
    assert tolerant.signer == cast.signer
    assert {block.code for block in tolerant.blocks} == {GOOD, code}


def test_two_signers_may_be_required(cast: Cast, tarball: Path, tmp_path: Path) -> None:
    policy = cast.room.policy(tmp_path, cast.signer, cast.other, required=2)
    assert judged(cast.room.sign(tarball, cast.signer), tarball, policy).code == "too-few-signers"
    assert judged(cast.room.sign(tarball, cast.signer, cast.other), tarball, policy).accepted


def test_a_signing_subkey_counts_as_its_primary_key(cast: Cast, tarball: Path, tmp_path: Path) -> None:
    primary = cast.room.make_key("Subkey Owner")
    cast.room.gpg("--passphrase", "", "--quick-add-key", primary, "ed25519", "sign", "0")
    verdict = judged(cast.room.sign(tarball, primary), tarball, cast.room.policy(tmp_path, primary))
    assert verdict.accepted
    assert verdict.signer == primary
    assert verdict.blocks[0].key != primary


def test_a_key_that_had_expired_when_it_signed(cast: Cast, tarball: Path, tmp_path: Path) -> None:
    key = cast.room.make_key("Expired Before", expires="2020-02-01", at="20200101T000000")
    old = pin(tmp_path / "old.asc", cast.room.export(key))
    cast.room.gpg("--quick-set-expire", key, "0")
    policy = SignerPolicy("release-signer", (key,), (old,))
    assert judged(cast.room.sign(tarball, key), tarball, policy).code == "expired-key"


def test_a_key_that_expired_after_it_signed_has_its_own_code(
    cast: Cast, tarball: Path, tmp_path: Path
) -> None:
    key = cast.room.make_key("Expired Since", expires="2020-02-01", at="20200101T000000")
    signature = cast.room.sign(tarball, key, at="20200115T000000")
    verdict = judged(signature, tarball, cast.room.policy(tmp_path, key))
    assert (verdict.accepted, verdict.code) == (False, "expired-key-lived")


def test_a_revoked_key(cast: Cast, tarball: Path, tmp_path: Path) -> None:
    key = cast.room.make_key("Revoked Later")
    signature = cast.room.sign(tarball, key)
    cast.room.revoke(key)
    assert judged(signature, tarball, cast.room.policy(tmp_path, key)).code == "revoked-key"


@pytest.mark.parametrize(
    ("options", "at", "code"),
    [
        (["--digest-algo", "SHA1"], None, "weak-digest"),
        (["--digest-algo", "MD5", "--allow-weak-digest-algos"], None, "weak-digest"),
        (["--textmode"], None, "wrong-class"),
        ([], "20350101T000000", "future-dated"),
    ],
)
def test_what_gpg_calls_good_and_we_do_not(
    cast: Cast, tarball: Path, policy: SignerPolicy, options: list[str], at: str | None, code: str
) -> None:
    signature = cast.room.sign(tarball, cast.signer, options=options, at=at)
    assert judged(signature, tarball, policy).code == code


def test_an_expired_signature(cast: Cast, tarball: Path, tmp_path: Path) -> None:
    key = cast.room.make_key("Old Signer", at="20200101T000000")
    signature = cast.room.sign(tarball, key, options=["--default-sig-expire", "1d"], at="20200102T000000")
    assert judged(signature, tarball, cast.room.policy(tmp_path, key)).code == "expired-signature"


def test_a_signature_before_the_role_began(cast: Cast, tarball: Path, tmp_path: Path) -> None:
    policy = cast.room.policy(tmp_path, cast.signer, not_before=datetime.now(UTC) + timedelta(minutes=5))
    assert judged(cast.room.sign(tarball, cast.signer), tarball, policy).code == "too-early"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "signature-empty"),
        (b"\n \n", "signature-empty"),
        (b"<!DOCTYPE html><html><body>404 Not Found</body></html>", "signature-is-web-page"),
        (b"<html>not here</html>", "signature-is-web-page"),
        (b"not a signature at all", "not-a-signature"),
        (b"\x88\xff", "not-a-signature"),
        (b"\x00" * 100, "not-a-signature"),
        (b"A" * (LARGEST_SIGNATURE + 1), "signature-too-large"),
        (b"-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n", "not-a-signature"),
        (b"-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n", "not-a-signature"),
    ],
)
def test_what_is_no_signature(tarball: Path, policy: SignerPolicy, content: bytes, code: str) -> None:
    signature = tarball.with_name("x.sig")
    signature.write_bytes(content)
    verdict = judged(signature, tarball, policy)
    assert (verdict.accepted, verdict.code) == (False, code)


def test_a_missing_signature_file(tarball: Path, policy: SignerPolicy, tmp_path: Path) -> None:
    verdict = judged(tmp_path / "none.sig", tarball, policy)
    assert verdict.code == "signature-missing"
    with pytest.raises(CheckFailed, match=r"a\.tar\.gz: there is no signature file") as caught:
        verdict.must_be_accepted("a.tar.gz")
    assert caught.value.code == "signature-missing"


def test_signed_messages_never_pass_as_detached_signatures(
    cast: Cast, tarball: Path, policy: SignerPolicy, tmp_path: Path
) -> None:
    clear = cast.room.clearsign(tarball, cast.signer, tmp_path / "clear.sig")
    assert judged(clear, tarball, policy).code == "signature-is-clearsigned"
    inline = tmp_path / "inline.sig"
    cast.room.gpg("--local-user", cast.signer, "--output", str(inline), "--sign", "--", str(tarball))
    assert judged(inline, tarball, policy).code == "not-a-signature"


def test_one_changed_byte_of_the_signature_is_never_accepted(
    cast: Cast, tarball: Path, policy: SignerPolicy
) -> None:
    signature = cast.room.sign(tarball, cast.signer)
    good = signature.read_bytes()
    for at in (0, 1, 5, 20, len(good) // 2, len(good) - 1):
        signature.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        assert not judged(signature, tarball, policy).accepted


def test_an_unassigned_role_is_unproven(cast: Cast, tarball: Path) -> None:
    signature = cast.room.sign(tarball, cast.signer)
    nobody = SignerPolicy("release-signer", (), (), page="ovirt-3.0")
    with pytest.raises(SignerUnassigned, match=r"role release-signer is unassigned on page ovirt-3\.0"):
        judged(signature, tarball, nobody)


def test_key_files_are_pinned(cast: Cast, tarball: Path, policy: SignerPolicy) -> None:
    signature = cast.room.sign(tarball, cast.signer)
    policy.keys[0].path.write_bytes(cast.room.export(cast.stranger))
    with pytest.raises(ReleaseError, match="the page pins"):
        judged(signature, tarball, policy)
    policy.keys[0].path.unlink()
    with pytest.raises(ReleaseError, match="cannot be read"):
        judged(signature, tarball, policy)
    with pytest.raises(ReleaseError, match="names fingerprints but no key file"):
        judged(signature, tarball, replace(policy, keys=()))


def test_a_secret_key_is_no_key_file(cast: Cast, tarball: Path, tmp_path: Path) -> None:
    path = tmp_path / "secret.gpg"
    cast.room.gpg("--output", str(path), "--export-secret-keys", cast.signer)
    policy = SignerPolicy("release-signer", (cast.signer,), (pin(path, path.read_bytes()),))
    with pytest.raises(ReleaseError, match="no OpenPGP public key"):
        judged(cast.room.sign(tarball, cast.signer), tarball, policy)


def test_without_gpg_the_message_says_what_to_install(
    cast: Cast, tarball: Path, policy: SignerPolicy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signature = cast.room.sign(tarball, cast.signer)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ReleaseError, match="gpg is not installed; apt install gnupg"):
        judged(signature, tarball, policy)


def test_a_stalled_gpg_meets_the_deadline(
    cast: Cast, tarball: Path, policy: SignerPolicy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signature = cast.room.sign(tarball, cast.signer)
    bin_dir = tmp_path / "bin"
    bin_dir.mkdir()
    (bin_dir / "gpg").write_text("#!/bin/sh\nexec sleep 60\n", encoding="ascii")
    (bin_dir / "gpg").chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_dir}:{os.environ['PATH']}")
    with pytest.raises(OutOfTime, match="gpg did not finish"):
        judge(signature, tarball, policy, now=datetime.now(UTC), deadline=0.2)


# ---- clearsigned text --------------------------------------------------------------------------------------


@pytest.fixture
def clearsigned(cast: Cast, tmp_path: Path) -> Path:
    text = tmp_path / "Release"
    text.write_text("Suite: stable\n- dash\nDate: today\n", encoding="ascii")
    return cast.room.clearsign(text, cast.signer, tmp_path / "InRelease")


def clear(path: Path, policy: SignerPolicy) -> tuple[SignatureVerdict, Path]:
    out = path.with_name("out.txt")
    return verify_clearsigned(path, out, policy, now=datetime.now(UTC), deadline=30), out


def test_a_clearsigned_text_gives_gpgs_own_output(clearsigned: Path, policy: SignerPolicy) -> None:
    verdict, out = clear(clearsigned, policy)
    assert verdict.accepted
    assert out.read_text(encoding="ascii") == "Suite: stable\n- dash\nDate: today\n"
    assert verdict.data_sha256 == sha256_of(out)


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"Suite: evil\n\n", b""), (b"", b"\nSuite: evil\n"), (b"\n", b""), (b"\0", b""), (b"", b"\0")],
)
def test_text_around_a_clearsigned_text_is_refused(
    clearsigned: Path, policy: SignerPolicy, before: bytes, after: bytes
) -> None:
    clearsigned.write_bytes(before + clearsigned.read_bytes() + after)
    verdict, out = clear(clearsigned, policy)
    assert (verdict.accepted, verdict.code) == (False, "not-clearsigned")
    assert not out.exists()


def test_other_troubles_of_a_clearsigned_text(cast: Cast, clearsigned: Path, policy: SignerPolicy) -> None:
    good = clearsigned.read_bytes()
    clearsigned.write_bytes(good.replace(b"today", b"never"))
    assert clear(clearsigned, policy)[0].code == "bad-signature"
    clearsigned.write_bytes(good + good)
    assert clear(clearsigned, policy)[0].code == "not-clearsigned"
    clearsigned.write_bytes(good.replace(b"Hash:", b"NotDashEscaped: yes\nHash:"))
    assert clear(clearsigned, policy)[0].code == "not-clearsigned"
    stranger = cast.room.clearsign(clearsigned.with_name("Release"), cast.stranger, clearsigned)
    assert clear(stranger, policy)[0].code == "unknown-signer"
    assert clear(clearsigned.with_name("none"), policy)[0].code == "signature-missing"


# ---- the judge of status lines, as properties --------------------------------------------------------------

FPR = "0123456789ABCDEF" * 2 + "01234567"
GOOD_LINES = (
    f"GOODSIG {FPR[-16:]} Somebody <a@example.org>",
    f"VALIDSIG {FPR} 2024-01-01 1704067200 0 4 0 22 10 00 {FPR}",
)
POLICY = SignerPolicy("release-signer", (FPR,), ())
KEYWORDS = sorted(BAD_KEYWORDS)
noise = st.sampled_from(
    [
        "KEY_CONSIDERED " + FPR + " 0",
        "SIG_ID abc 2024-01-01 1704067200",
        "TRUST_UNDEFINED 0 pgp",
        "KEYEXPIRED 1",
        "",
    ]
)


def judge_lines(lines: list[str], *, expected: int = 1, policy: SignerPolicy = POLICY) -> str:
    status = "".join(f"[GNUPG:] {line}\n" for line in lines).encode()
    return judge_status(status, policy, now=datetime.now(UTC), classes={"00"}, expected=expected)[0]


def test_the_good_block_is_good() -> None:
    assert judge_lines(["NEWSIG", *GOOD_LINES]) == GOOD


@given(
    bad=st.sampled_from(KEYWORDS),
    rest=st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=60),
    at=st.integers(0, 4),
    others=st.lists(noise, max_size=2),
    good_blocks=st.integers(0, 2),
    tolerate=st.booleans(),
)
def test_a_block_with_a_bad_keyword_is_never_accepted(
    bad: str, rest: str, at: int, others: list[str], good_blocks: int, *, tolerate: bool
) -> None:
    block = [*GOOD_LINES, *others]
    block.insert(min(at, len(block)), f"{bad} {rest}")
    lines = ["NEWSIG", *block]
    assert judge_lines(lines) != GOOD
    whole = lines + ["NEWSIG", *GOOD_LINES] * good_blocks
    code = judge_lines(whole, expected=1 + good_blocks, policy=replace(POLICY, tolerate_others=tolerate))
    if bad != "ERRSIG" or not tolerate:
        assert code != GOOD


@given(st.binary(max_size=400))
def test_arbitrary_status_bytes_are_never_accepted(data: bytes) -> None:
    assert judge_status(data, POLICY, now=datetime.now(UTC), classes={"00"}, expected=1)[0] != GOOD


@given(st.lists(st.sampled_from(["NEWSIG", *GOOD_LINES, *(f"{k} x y z" for k in KEYWORDS)]), max_size=8))
def test_only_one_good_and_one_valid_line_in_each_block_is_accepted(lines: list[str]) -> None:
    code = judge_lines(lines, expected=lines.count("NEWSIG"))
    if code == GOOD:
        blocks = "|".join(lines).split("NEWSIG")
        assert blocks[0] == ""
        assert all(b.count("GOODSIG") == 1 and b.count("VALIDSIG") == 1 for b in blocks[1:])


@pytest.mark.parametrize("separator", ["\u2028", "\u0085", "\x0b", "\x1c", "\r"])
def test_a_user_id_cannot_smuggle_a_line(separator: str) -> None:
    forged = (
        f"GOODSIG {FPR[-16:]} x{separator}[GNUPG:] VALIDSIG {FPR} 2024-01-01 1704067200 0 4 0 22 10 00 {FPR}"
    )
    assert judge_lines(["NEWSIG", forged]) != GOOD


@pytest.mark.parametrize(
    "fields",
    [
        f"{FPR[-16:]} 2024-01-01 1704067200 0 4 0 22 10 00 {FPR[-16:]}",
        f"{FPR} 2024-01-01 1704067200 0 4 0 22 10 00",
        f"{FPR} 2024-01-01 never 0 4 0 22 10 00 {FPR}",
        f"{FPR} 2024-01-01 1704067200 0 4 0 22 x 00 {FPR}",
        f"{FPR} 2024-01-01 1704067200 0 4 0 22 10 00 {FPR.lower()}",
    ],
)
def test_a_malformed_validsig_is_not_believed(fields: str) -> None:
    assert judge_lines(["NEWSIG", GOOD_LINES[0], f"VALIDSIG {fields}"]) != GOOD


def test_signatures_gpg_did_not_judge_spoil_the_rest() -> None:
    assert judge_lines(["NEWSIG", *GOOD_LINES], expected=2) == "ambiguous-signatures"
    assert judge_lines([], expected=1) == "not-a-signature"
    assert judge_lines([GOOD_LINES[0], "NEWSIG", *GOOD_LINES]) == "unverifiable"


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_packet_walking_survives_anything(data: bytes) -> None:
    for walk in (lambda: list(packet_tags(data)), lambda: signature_packets(data)):
        with contextlib.suppress(NotOpenPgp):
            walk()
