"""Attestations: whatever does not fit is told as a sentence and exit code 13, offline, with real keys of gpg's."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from securesystemslib.signer import GPGSigner  # type: ignore[attr-defined] # documented so, but not marked as exported

from pytest_ovirt_release import cli, schemas
from pytest_ovirt_release.cli_attest import BAD
from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.verdict import attestation
from pytest_ovirt_release.verdict.attestation import ATTESTATION_FILE, AttestationBad, attest, verify
from pytest_ovirt_release.verdict.envelope import read_envelope, signer_of, statement_in
from pytest_ovirt_release.verdict.pinned_key import full_fingerprint, read_key
from pytest_ovirt_release.verdict.recompute import recompute
from pytest_ovirt_release.verdict.serial import verdict_json
from pytest_ovirt_release.verdict.signing import sign
from pytest_ovirt_release.verdict.statement import PAYLOAD_TYPE
from tests.unit.checks.signing import KeyRoom
from tests.unit.verdict.made import NOW, candidate
from tests.unit.verdict.test_merge import CANDIDATES, PAGE, dates, fail_a, toml, write_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from click.testing import Result

    from pytest_ovirt_release.verdict.pinned_key import PublicKey

RELEASE = {"vdsm-9.9.tar.gz": b"vdsm's source", "ovirt-engine-9.9.tar.gz": b"the engine's source"}
ALL_FIT = ["verdict.json", "candidate.toml"]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def candidate_with_files(rc: str) -> bytes:
    files = {
        name.split("-9.9")[0]: {"kind": "tarball", "name": name, "sha256": sha256(data), "size": len(data)}
        for name, data in RELEASE.items()
    }
    components = [
        {
            "name": c.name,
            "version": "9.9",
            "tag": f"{c.name}-9.9",
            "commit": "1" * 40,
            "files": [files[c.name]],
        }
        for c in PAGE.components
    ]
    return dates(toml(candidate(rc=rc, components=components)))


def judged(folder: Path, **made: Any) -> Path:
    """Write a run of a candidate with files, and its verdict."""
    with pytest.MonkeyPatch.context() as patch:
        for rc in ("rc3", "rc4"):
            patch.setitem(CANDIDATES, rc, candidate_with_files(rc))
        write_run(folder, **{"rc": "rc3", **made})
    (folder / "verdict.json").write_text(verdict_json(recompute(folder, NOW)))
    return folder


def run(*words: object) -> Result:
    return CliRunner().invoke(cli.main, [str(word) for word in words])


@dataclass
class Keys:
    """Keys of a release manager (`ann`) and of somebody else, and a folder that `ann` attested."""

    room: KeyRoom
    ann: str
    bob: str
    files: Path
    folder: Path
    public: PublicKey
    ann_file: Path

    def file(self, *fingerprints: str) -> Path:
        """Return a key file of some keys, as they are now."""
        data = b"".join(self.room.export(f, armor=False) for f in fingerprints)
        path = self.files / f"{sha256(data)[:16]}.gpg"
        path.write_bytes(data)
        return path

    def sign(self, payload: bytes, by: str = "", payload_type: str = PAYLOAD_TYPE) -> bytes:
        """Return an envelope that is signed by a key, whatever it holds."""
        made = sign(payload, payload_type, by or self.ann, self.room.home)
        return json.dumps(made.to_dict()).encode()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keys]:
    room = KeyRoom()
    try:
        folder = judged(tmp_path_factory.mktemp("attested") / "run")
        ann, bob = room.make_key("Ann Example"), room.make_key("Bob Example")
        files = tmp_path_factory.mktemp("keys")
        ann_file = files / "ann.asc"
        ann_file.write_bytes(room.export(ann))
        public = read_key(ann_file.read_bytes(), ann)
        (folder / ATTESTATION_FILE).write_text(attest(folder, ann, room.home, now=NOW))
        yield Keys(room, ann, bob, files, folder, public, ann_file)
    finally:
        room.close()


@pytest.fixture
def folder(keys: Keys, tmp_path: Path) -> Path:
    """A copy of the attested folder, to be spoilt."""
    for name, data in RELEASE.items():
        (tmp_path / name).write_bytes(data)
    return Path(shutil.copytree(keys.folder, tmp_path / "run"))


@pytest.fixture
def check(keys: Keys, folder: Path) -> Callable[..., Result]:
    """Verify the folder on the command line."""

    def checked(*files: Path, at: Path = folder, pin: str = keys.ann, key_file: Path | None = None) -> Result:
        file = key_file or keys.ann_file
        return run("verify", at, *files, "--fingerprint", pin, "--key-file", file)

    return checked


def refused(shown: Result, said: str) -> None:
    text = " ".join(shown.output.split())
    assert (shown.exit_code, shown.exception.__class__) == (BAD, SystemExit), text
    assert "the attestation does not fit" in text
    assert said in text


def payload_of(folder: Path) -> dict[str, Any]:
    envelope = json.loads((folder / ATTESTATION_FILE).read_bytes())
    statement: dict[str, Any] = json.loads(base64.b64decode(envelope["payload"]))
    return statement


def change_envelope(folder: Path, **changes: object) -> None:
    path = folder / ATTESTATION_FILE
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **changes}))


def change_signature(folder: Path, **changes: object) -> None:
    (signature,) = json.loads((folder / ATTESTATION_FILE).read_bytes())["signatures"]
    change_envelope(folder, signatures=[{**signature, **changes}])


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


# What fits


def test_a_verdict_that_is_signed_can_be_verified_by_everybody(keys: Keys, folder: Path) -> None:
    (folder / ATTESTATION_FILE).unlink()
    made = run("attest", folder, "--key", keys.ann.lower(), "--gnupg-home", keys.room.home)
    assert made.exit_code == 0, made.output
    assert "2 file(s) attested" in made.output
    files = [folder.parent / name for name in RELEASE]
    pin = " ".join(keys.ann[i : i + 4].lower() for i in range(0, 40, 4))
    shown = run("verify", folder, *files, "--fingerprint", pin, "--key-file", keys.file(keys.ann))
    assert shown.exit_code == 0, shown.output
    assert f"signed by Ann Example <ann@example.org>, key {keys.ann}, 2" in shown.output
    assert "2 subject(s); 2 held against files here" in shown.output
    assert "beside it and as attested: verdict.json, candidate.toml" in shown.output
    assert shown.output.endswith("page-1, candidate 9.9 rc3: GO · as of 2026-11-22T12:00:00+00:00 · exit 0\n")


def test_the_statement_says_all_that_the_verdict_came_from(keys: Keys) -> None:
    statement = payload_of(keys.folder)
    Draft202012Validator(schemas.load("attestation")).validate(statement)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://ovirt.org/release-acceptance/verdict/v1"
    named = {s["name"]: s["digest"]["sha256"] for s in statement["subject"]}
    assert named == {name: sha256(data) for name, data in RELEASE.items()}
    verdict = json.loads((keys.folder / "verdict.json").read_bytes())
    predicate = statement["predicate"]
    assert predicate["verdict_sha256"] == sha256((keys.folder / "verdict.json").read_bytes())
    assert predicate["page"] == {"id": "page-1", "sha256": sha256((keys.folder / "page.toml").read_bytes())}
    assert predicate["candidate"]["sha256"] == sha256((keys.folder / "candidate.toml").read_bytes())
    assert predicate["runs"] == [{"run": r["id"], "digest": r["digest"]} for r in verdict["runs"]]
    assert (predicate["decision_sha256"], predicate["waivers_sha256"]) == (None, None)
    assert predicate["time_verified"] == "2026-11-22T12:00:00Z"


@pytest.mark.parametrize(
    ("made", "word", "code"),
    [({"spoil": fail_a}, "NO-GO", 1), ({"spoil": lambda m: m.add("trouble", text="oh")}, "INCOMPLETE", 10)],
)
def test_any_verdict_is_attested_and_its_exit_code_is_that_of_verify(
    keys: Keys, tmp_path: Path, made: dict[str, Any], word: str, code: int
) -> None:
    folder = judged(tmp_path / "run", **made)
    assert run("attest", folder, "--key", keys.ann, "--gnupg-home", keys.room.home).exit_code == 0
    shown = run("verify", folder, "--fingerprint", keys.ann, "--key-file", keys.file(keys.ann))
    assert (shown.exit_code, f": {word} · " in shown.output) == (code, True)


def test_a_rehearsal_says_so(keys: Keys, tmp_path: Path) -> None:
    folder = judged(tmp_path / "run", lab=True)
    made = run("attest", folder, "--key", keys.ann, "--gnupg-home", keys.room.home)
    shown = run("verify", folder, "--fingerprint", keys.ann, "--key-file", keys.file(keys.ann))
    assert payload_of(folder)["predicate"]["rehearsal"] is True
    for output in (made.output, shown.output):
        assert "(REHEARSAL)" in output.splitlines()[-1]


def test_a_merge_is_attested_with_all_its_runs(keys: Keys, tmp_path: Path) -> None:
    runs = [judged(tmp_path / name, run=name, tester=t) for name, t in (("r1", "ann"), ("r2", "bob"))]
    merged = tmp_path / "merged"
    as_of = ("--as-of", "2026-11-22T12:00:00Z")
    assert run("merge", *runs, *as_of, "--out", merged).exit_code == 0
    decided = ("--vote", "Ann:development:go", "--minutes", "https://example.test")
    assert run("decide", merged, "go", *decided).exit_code == 0
    assert run("attest", merged, "--key", keys.ann, "--gnupg-home", keys.room.home).exit_code == 0
    predicate = payload_of(merged)["predicate"]
    assert [r["run"] for r in predicate["runs"]] == ["r1", "r2"]
    assert predicate["decision_sha256"] == sha256((merged / "decision.json").read_bytes())
    assert predicate["decision"] == "go"
    verified = verify(merged, fingerprint=keys.ann, key_file=keys.file(keys.ann))
    assert (verified.beside, verified.remarks) == (("verdict.json", "decision.json"), ())


def test_an_envelope_alone_tells_what_was_not_looked_at(
    keys: Keys, folder: Path, tmp_path: Path, check: Callable[..., Result]
) -> None:
    alone = tmp_path / "mail" / "envelope.json"
    alone.parent.mkdir()
    shutil.copy(folder / ATTESTATION_FILE, alone)
    shown = check(at=alone)
    assert shown.exit_code == 0
    assert "beside it and as attested: nothing" in shown.output
    assert "verdict.json is not beside the envelope, so it was not looked at" in shown.output


def test_a_decision_made_later_is_told_as_not_covered(folder: Path, check: Callable[..., Result]) -> None:
    (folder / "decision.json").write_text("{}")
    shown = check()
    assert shown.exit_code == 0
    assert "decision.json is NOT covered" in shown.output


def test_securesystemslib_alone_verifies_it_in_a_process_of_its_own(keys: Keys, tmp_path: Path) -> None:
    program = """
import json, sys
from securesystemslib.dsse import Envelope
from securesystemslib.signer import GPGSigner
envelope = Envelope.from_dict(json.load(open(sys.argv[1])))
_, key = GPGSigner.import_(sys.argv[2].lower(), sys.argv[3])
print(list(envelope.verify([key], 1)), envelope.payload_type)
"""
    argv = [
        sys.executable,
        "-c",
        program,
        str(keys.folder / ATTESTATION_FILE),
        keys.ann,
        str(keys.room.home),
    ]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"['{keys.ann.lower()}'] {PAYLOAD_TYPE}\n"


# What lies beside it


def test_a_changed_verdict_is_told(folder: Path, check: Callable[..., Result]) -> None:
    path = folder / "verdict.json"
    path.write_bytes(path.read_bytes().replace(b'"rehearsal": false', b'"rehearsal": true', 1))
    refused(check(), "verdict.json: its SHA-256 is")
    refused(check(at=folder / ATTESTATION_FILE), "verdict.json: its SHA-256 is")


def test_a_verdict_that_is_not_there_is_told(folder: Path, check: Callable[..., Result]) -> None:
    (folder / "verdict.json").unlink()
    refused(check(), "verdict.json: 1 mistake(s) there is no such file")


def test_a_verdict_that_is_too_large_is_told(
    folder: Path, check: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attestation, "LARGEST_VERDICT", 10)
    refused(check(), "verdict.json: 1 mistake(s) is larger than")


def test_a_changed_candidate_is_told(folder: Path, check: Callable[..., Result]) -> None:
    (folder / "candidate.toml").write_bytes(candidate_with_files("rc4"))
    refused(check(), "candidate.toml: its SHA-256 is")


def test_a_decision_that_was_changed_or_taken_away_is_told(
    keys: Keys, folder: Path, check: Callable[..., Result]
) -> None:
    (folder / ATTESTATION_FILE).unlink()
    words = ("decide", folder, "no-go", "--minutes", "https://example.test", "--reason", "we saw it")
    assert run(*words).exit_code == 0
    (folder / ATTESTATION_FILE).write_text(attest(folder, keys.ann, keys.room.home))
    shown = check()
    assert (shown.exit_code, "the meeting decided NO-GO" in shown.output) == (1, True)
    (folder / "decision.json").write_text("{ }")
    refused(check(), "decision.json: its SHA-256 is")
    (folder / "decision.json").unlink()
    refused(check(), "decision.json: 1 mistake(s) there is no such file")


def test_the_attestation_of_another_candidate_is_told(
    keys: Keys, folder: Path, tmp_path: Path, check: Callable[..., Result]
) -> None:
    other = judged(tmp_path / "other", rc="rc4")
    (folder / ATTESTATION_FILE).write_text(attest(other, keys.ann, keys.room.home))
    refused(check(), "verdict.json: its SHA-256 is")


def test_a_release_file_that_is_not_attested_is_told(folder: Path, check: Callable[..., Result]) -> None:
    good, bad = (folder.parent / name for name in RELEASE)
    bad.write_bytes(b"another engine")
    shown = check(good, bad)
    refused(shown, f"{bad}: its SHA-256 {sha256(b'another engine')} is none of the 2 files attested")
    assert f"the one of that name has {sha256(RELEASE[bad.name])}" in shown.output
    refused(check(folder / "verdict.json"), "is none of the 2 files attested")
    refused(check(folder / "nothing.tar.gz"), "cannot be read")
    refused(check(folder), "is no regular file")


def test_a_release_file_is_known_by_its_bytes_not_by_its_name(
    folder: Path, check: Callable[..., Result]
) -> None:
    renamed = (folder.parent / "vdsm-9.9.tar.gz").rename(folder.parent / "download")
    shown = check(renamed)
    assert shown.exit_code == 0
    assert f"{renamed} is vdsm-9.9.tar.gz" in shown.output


def test_a_pipe_is_not_waited_on(folder: Path, check: Callable[..., Result]) -> None:
    os.mkfifo(folder / "pipe")
    refused(check(folder / "pipe"), "is no regular file")
    (folder / "verdict.json").unlink()
    os.mkfifo(folder / "verdict.json")
    refused(check(), "is no regular file")
    refused(check(at=folder / "pipe"), "is no regular file")


# What is signed


def test_a_changed_payload_is_told(folder: Path, check: Callable[..., Result]) -> None:
    statement = payload_of(folder)
    statement["subject"][0]["digest"]["sha256"] = "0" * 64
    change_envelope(folder, payload=b64(json.dumps(statement).encode()))
    refused(check(), "does not fit: the payload or the signature was changed")


def test_the_payload_of_another_candidate_under_this_signature_is_told(
    keys: Keys, folder: Path, tmp_path: Path, check: Callable[..., Result]
) -> None:
    other = judged(tmp_path / "other", rc="rc4")
    signed = json.loads(attest(other, keys.ann, keys.room.home))
    change_envelope(folder, payload=signed["payload"])
    refused(check(), "does not fit: the payload or the signature was changed")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sig": b64(bytes(64))}, "does not fit: the payload or the signature"),
        ({"sig": ""}, "does not fit: the payload or the signature"),
        ({"sig": "*"}, "is not base64"),
        ({"sig": "é"}, "is not base64"),
        ({"sig": "A" * 20_000}, "at most 16384 characters"),
        ({"sig": 7}, "valid string"),
        ({"sig": None}, "valid string"),
        ({"other_headers": "04001608" + "00" * 30}, "does not fit: the payload or the signature"),
        ({"other_headers": "04131608" + "00" * 30}, "is no signature of data with SHA-256"),
        ({"other_headers": "04001602" + "00" * 30}, "is no signature of data with SHA-256"),
        ({"other_headers": "040"}, "pattern"),
        ({"other_headers": ["04"]}, "valid string"),
        ({"keyid": "0" * 40}, f"it is signed by '{'0' * 40}', not by the pinned key"),
        ({"keyid": "ABCD"}, "pattern"),
        ({"cert": "x"}, "Extra inputs are not permitted"),
    ],
)
def test_a_signature_that_is_not_its_own_is_told(
    folder: Path, check: Callable[..., Result], changes: dict[str, object], said: str
) -> None:
    change_signature(folder, **changes)
    refused(check(), said)


def test_two_signatures_by_one_key_are_told(folder: Path, check: Callable[..., Result]) -> None:
    signatures = json.loads((folder / ATTESTATION_FILE).read_bytes())["signatures"]
    change_envelope(folder, signatures=signatures * 2)
    refused(check(), "holds two signatures by one key")


def test_a_signature_of_somebody_else_beside_the_pinned_one_does_no_harm(
    keys: Keys, folder: Path, check: Callable[..., Result]
) -> None:
    envelope = json.loads((folder / ATTESTATION_FILE).read_bytes())
    other = json.loads(keys.sign(base64.b64decode(envelope["payload"]), keys.bob))
    change_envelope(folder, signatures=[*other["signatures"], *envelope["signatures"]])
    assert check().exit_code == 0
    shown = check(pin=keys.bob, key_file=keys.file(keys.bob))
    assert "signed by Bob Example" in shown.output


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the envelope is no JSON"),
        (b"\xff\xfe", "the envelope is no JSON"),
        (b"[" * 100_000, "the envelope is no JSON"),
        (b'{"payload": ' + b'{"a":' * 5000, "the envelope is no JSON"),
        (b"[]", "the envelope is no JSON object"),
        (b'"text"', "the envelope is no JSON object"),
        (b"{}", "Field required"),
        (b'{"payload": NaN}', "the envelope is no JSON"),
        (b'{"payload": "\\ud800"}', "the envelope is no JSON"),
        (b'{"payload": ' + b"9" * 5000 + b"}", "the envelope is no JSON"),
        (b'{"payload": 7, "payloadType": 1}', "payload type is 1, not"),
        (b'{"payload": "", "payloadType": {"a": [1]}, "signatures": []}', "payload type is {'a': [1]}, not"),
        (b'{"payload": "", "payloadType": "' + b"x" * 900 + b'"}', "payload type is 'xxx"),
        (b'{"payload": "", "payloadType": "text/\\u001b[2J"}', r"payload type is 'text/\x1b[2J', not"),
    ],
    ids=lambda given: repr(given)[:40],
)
def test_what_is_no_envelope_is_told(
    folder: Path, check: Callable[..., Result], content: bytes, said: str
) -> None:
    (folder / ATTESTATION_FILE).write_bytes(content)
    shown = check()
    refused(shown, said)
    assert len(shown.output) < 1000


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"payload": "*"}, "is not base64"),
        ({"payload": 7}, "valid string"),
        ({"payload": [["x"]]}, "valid string"),
        ({"payloadType": "application/json"}, "payload type is 'application/json', not"),
        ({"payloadType": None}, "payload type is None, not"),
        ({"signatures": []}, "at least 1 item"),
        ({"signatures": {}}, "valid array"),
        ({"signatures": "x"}, "valid"),
        ({"signatures": [7]}, "'signatures.0'"),
        ({"signatures": [{"keyid": "ab", "sig": "", "other_headers": "ab"}] * 65}, "at most 64 items"),
        ({"more": 1}, "Extra inputs are not permitted"),
    ],
)
def test_an_envelope_of_another_form_is_told(
    folder: Path, check: Callable[..., Result], changes: dict[str, object], said: str
) -> None:
    change_envelope(folder, **changes)
    refused(check(), said)


def test_an_envelope_that_is_too_large_or_missing_is_told(
    folder: Path, check: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attestation, "LARGEST_ENVELOPE", 10)
    refused(check(), f"{ATTESTATION_FILE}: 1 mistake(s) is larger than")
    (folder / ATTESTATION_FILE).unlink()
    refused(check(), f"{ATTESTATION_FILE}: 1 mistake(s) there is no such file")


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b"\xff", "the statement is no JSON"),
        (b"[]", "the statement is no JSON object"),
        (b"{}", "the statement's _type is None"),
        ({"_type": "https://in-toto.io/Statement/v0.1"}, "the statement's _type is 'https://in-toto.io/"),
        (
            {"predicateType": "https://slsa.dev/verification_summary/v1"},
            "predicateType is 'https://slsa.dev/",
        ),
        ({"predicateType": ["x"]}, "predicateType is ['x'], not"),
        ({"subject": []}, "at least 1 item"),
        ({"more": 1}, "'more': Extra inputs are not permitted"),
        ({"predicate": {}}, "Field required"),
    ],
)
def test_a_signed_payload_that_is_not_our_statement_is_told(
    keys: Keys,
    folder: Path,
    check: Callable[..., Result],
    payload: bytes | dict[str, object],
    said: str,
) -> None:
    if isinstance(payload, dict):
        payload = json.dumps({**payload_of(folder), **payload}).encode()
    (folder / ATTESTATION_FILE).write_bytes(keys.sign(payload))
    refused(check(), said)


def test_a_signed_payload_of_another_type_is_told(
    keys: Keys, folder: Path, check: Callable[..., Result]
) -> None:
    payload = json.dumps(payload_of(folder)).encode()
    (folder / ATTESTATION_FILE).write_bytes(keys.sign(payload, payload_type="text/plain"))
    refused(check(), "payload type is 'text/plain'")
    change_envelope(folder, payloadType=PAYLOAD_TYPE)  # signed as something else
    refused(check(), "does not fit: the payload or the signature was changed")


ZEROS = "0" * 64


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"verdict": "NO-GO"}, "NO-GO is not exit code 0"),
        ({"verdict": "NO-GO", "exit_code": 1}, "says verdict 'GO', the attestation says 'NO-GO'"),
        ({"rehearsal": True}, "says rehearsal False, the attestation says True"),
        ({"as_of": "2026-11-23T12:00:00Z"}, "says as_of '2026-11-22"),
        ({"page": {"id": "page-2", "sha256": ZEROS}}, "says page AttestedPage(id='page-1'"),
        ({"page": None}, "the attestation says None"),
        (
            {"candidate": {"version": "9.9", "rc": "rc9", "sha256": ZEROS}},
            "says candidate AttestedCandidate(",
        ),
        ({"waivers_sha256": ZEROS}, "says waivers_sha256 None, the attestation says '000"),
        ({"runs": []}, "says runs (AttestedRun(run='r1'"),
        ({"verdict_sha256": ZEROS}, f"the attestation is about {ZEROS}"),
        ({"decision_sha256": ZEROS}, "decision.json: 1 mistake(s) there is no such file"),
    ],
)
def test_a_signed_statement_that_is_not_what_the_verdict_says_is_told(
    keys: Keys, folder: Path, check: Callable[..., Result], changes: dict[str, object], said: str
) -> None:
    statement = payload_of(folder)
    statement["predicate"].update(changes)
    (folder / ATTESTATION_FILE).write_bytes(keys.sign(json.dumps(statement).encode()))
    refused(check(), said)


def test_a_signed_statement_about_other_files_than_the_candidates_is_told(
    keys: Keys, folder: Path, check: Callable[..., Result]
) -> None:
    statement = payload_of(folder)
    statement["subject"][0]["digest"]["sha256"] = ZEROS
    (folder / ATTESTATION_FILE).write_bytes(keys.sign(json.dumps(statement).encode()))
    refused(check(), "candidate.toml: lists other files than the attestation does")


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_damage_is_ever_a_traceback_or_passes_for_the_true_statement(
    keys: Keys, data: st.DataObject
) -> None:
    true = (keys.folder / ATTESTATION_FILE).read_bytes()
    start = data.draw(st.integers(0, len(true) - 1))
    end = data.draw(st.integers(start, min(len(true), start + 40)))
    with_ = data.draw(
        st.binary(max_size=8) | st.sampled_from([b"null", b"[]", b"1e999", b'"', b"-_", b"\\u0000"])
    )
    damaged = true[:start] + with_ + true[end:]
    try:
        envelope = read_envelope(damaged)
        signer_of(envelope, keys.public)
        statement = statement_in(envelope)
    except AttestationBad:
        return
    assert statement == statement_in(read_envelope(true))


# Whose key it is


def test_the_key_of_somebody_else_is_told(keys: Keys, check: Callable[..., Result]) -> None:
    refused(
        check(key_file=keys.file(keys.bob)),
        f"holds key {keys.bob} (Bob Example <bob@example.org>), not the pinned {keys.ann}",
    )
    refused(
        check(pin=keys.bob),
        f"holds key {keys.ann} (Ann Example <ann@example.org>), not the pinned {keys.bob}",
    )
    refused(
        check(pin=keys.bob, key_file=keys.file(keys.bob)),
        f"it is signed by '{keys.ann}', not by the pinned key {keys.bob}",
    )


def test_a_key_file_of_two_keys_or_none_is_told(
    keys: Keys, check: Callable[..., Result], tmp_path: Path
) -> None:
    refused(check(key_file=keys.file(keys.ann, keys.bob)), "holds 2 keys")
    empty = tmp_path / "empty"
    for content in (b"", b"no key", b"\x99\x01\x0d\x04" + bytes(400)):
        empty.write_bytes(content)
        refused(check(key_file=empty), "holds no public key that gpg can read")


def test_a_fingerprint_that_is_not_a_full_one_is_a_mistake_not_a_misfit(
    keys: Keys, check: Callable[..., Result]
) -> None:
    for pin in ("", keys.ann[-16:], keys.ann + "0", "x" * 40, f"--output={keys.ann}"):
        shown = check(pin=pin)
        assert (shown.exit_code, "is no full fingerprint" in shown.output) == (2, True), shown.output
    assert full_fingerprint(f" {'ab cd ' * 16}\t") == "ABCD" * 16
    refused(check(pin="A" * 64), f"not the pinned {'A' * 64}")


def test_a_key_file_that_is_not_there_is_a_mistake(check: Callable[..., Result], tmp_path: Path) -> None:
    shown = check(key_file=tmp_path / "none.asc")
    assert (shown.exit_code, "there is no such file" in shown.output) == (2, True)


def signed_by(keys: Keys, folder: Path, fingerprint: str) -> None:
    (folder / ATTESTATION_FILE).write_text(attest(folder, fingerprint, keys.room.home))


def test_a_key_that_was_revoked_since_is_told_and_signs_no_more(
    keys: Keys, folder: Path, check: Callable[..., Result]
) -> None:
    key = keys.room.make_key("Rita Revoked")
    signed_by(keys, folder, key)
    assert check(pin=key, key_file=keys.file(key)).exit_code == 0
    keys.room.revoke(key)
    refused(
        check(pin=key, key_file=keys.file(key)), f"key {key} (Rita Revoked <rita@example.org>) is revoked"
    )
    with pytest.raises(ReleaseError, match="is revoked"):
        attest(folder, key, keys.room.home)


def test_a_key_that_expired_since_is_told_and_signs_no_more(
    keys: Keys, folder: Path, check: Callable[..., Result]
) -> None:
    key = keys.room.make_key("Edna Expired", at="20200101T000000")
    signed_by(keys, folder, key)
    keys.room.gpg("--quick-set-expire", key, "2d", at="20200102T000000")
    refused(
        check(pin=key, key_file=keys.file(key)), "(Edna Expired <edna@example.org>) expired on 2020-01-04"
    )
    with pytest.raises(ReleaseError, match="expired on 2020-01-04"):
        attest(folder, key, keys.room.home)


def test_a_disabled_key_does_not_sign(keys: Keys, folder: Path) -> None:
    key = keys.room.make_key("Dora Disabled")
    argv = ["gpg", "--homedir", str(keys.room.home), "--no-tty", "--command-fd", "0", "--edit-key", key]
    subprocess.run(argv, input=b"disable\nquit\n", capture_output=True, timeout=30, check=True)
    with pytest.raises(ReleaseError, match=r"\(Dora Disabled <dora@example.org>\) is disabled"):
        attest(folder, key, keys.room.home)


def subkey(keys: Keys, key: str, at: str | None = None) -> str:
    """Add a subkey for signing to a key and return its fingerprint."""
    keys.room.gpg("--passphrase", "", "--quick-add-key", key, "ed25519", "sign", "0", at=at)
    listed = keys.room.gpg("--with-colons", "--list-keys", key)
    return next(line.split(":")[9] for line in reversed(listed.splitlines()) if line.startswith("fpr"))


def test_a_subkey_of_the_pinned_key_signs_as_that_key_while_it_is_valid(
    keys: Keys, folder: Path, check: Callable[..., Result]
) -> None:
    key = keys.room.make_key("Sue Subkey", at="20200101T000000")
    sub = subkey(keys, key, at="20200101T000000")
    before = keys.file(key)
    signed_by(keys, folder, key)
    (signature,) = json.loads((folder / ATTESTATION_FILE).read_bytes())["signatures"]
    assert signature["keyid"] == sub.lower()
    shown = check(pin=key, key_file=before)
    assert shown.exit_code == 0, shown.output
    assert f"key {key}, by its subkey {sub}, 2" in shown.output
    refused(
        check(pin=sub, key_file=before), f"not the pinned {sub}, whose subkey that is: pin the primary key"
    )
    with pytest.raises(ReleaseError, match=f"{sub} is a subkey; name the primary key: {key}"):
        attest(folder, sub, keys.room.home)
    keys.room.gpg("--passphrase", "", "--quick-set-expire", key, "1d", sub, at="20200102T000000")
    refused(check(pin=key, key_file=keys.file(key)), f"subkey {sub} of key {key}")
    refused(check(pin=key, key_file=keys.file(key)), "which expired on 2020-01-03")


def test_a_subkey_whose_lifetime_was_extended_is_still_one(
    keys: Keys, folder: Path, check: Callable[..., Result], tmp_path: Path
) -> None:
    key = keys.room.make_key("Lena Longer")
    sub = subkey(keys, key)
    old = keys.file(key).read_bytes()
    signed_by(keys, folder, key)
    keys.room.gpg("--passphrase", "", "--quick-set-expire", key, "2y", sub)
    both = tmp_path / "both.gpg"
    both.write_bytes(old + keys.file(key).read_bytes())
    assert check(pin=key, key_file=both).exit_code == 0


def test_a_subkey_of_another_key_is_not_one_of_the_pinned_key(
    keys: Keys, folder: Path, check: Callable[..., Result]
) -> None:
    mine, other = keys.room.make_key("Mina Mine"), keys.room.make_key("Otto Other")
    sub = subkey(keys, other)
    signed_by(keys, folder, other)
    refused(
        check(pin=mine, key_file=keys.file(mine)), f"it is signed by '{sub}', not by the pinned key {mine}"
    )
    # A subkey packet with somebody else's binding: gpg drops it.
    stolen = keys.files / "stolen.gpg"
    packets = keys.file(other).read_bytes()
    stolen.write_bytes(keys.file(mine).read_bytes() + packets[packets.index(b"\xb8\x33") :])
    refused(check(pin=mine, key_file=stolen), f"it is signed by '{sub}', not by the pinned key {mine}")


def quick_key(keys: Keys, name: str, *kind: str) -> str:
    keys.room.gpg("--passphrase", "", "--quick-gen-key", name, *kind, "0")
    listed = keys.room.gpg("--with-colons", "--list-keys", name)
    return next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))


def test_an_rsa_key_signs_as_well(keys: Keys, folder: Path, check: Callable[..., Result]) -> None:
    key = quick_key(keys, "Rosa", "rsa2048", "sign")
    signed_by(keys, folder, key)
    assert check(pin=key, key_file=keys.file(key)).exit_code == 0
    (signature,) = json.loads((folder / ATTESTATION_FILE).read_bytes())["signatures"]
    for sig in (b"", b"\0" + base64.b64decode(signature["sig"]), bytes(256), b"\xff" * 256):
        change_signature(folder, sig=b64(sig))
        refused(check(pin=key, key_file=keys.file(key)), "does not fit: the payload or the signature")


@pytest.mark.parametrize(
    ("kind", "said"),
    [(("nistp256", "sign"), "others are not accepted"), (("rsa1024", "sign"), "others are not accepted"), (("ed25519", "cert"), "is not for signing")],
)  # fmt: skip
def test_a_key_of_a_kind_that_is_not_accepted_does_not_sign(
    keys: Keys, folder: Path, kind: tuple[str, str], said: str
) -> None:
    key = quick_key(keys, f"Kind {kind[0]} {kind[1]}", *kind)
    with pytest.raises(ReleaseError, match=said):
        attest(folder, key, keys.room.home)


# What is refused when attesting


def test_an_attestation_is_never_rewritten(keys: Keys, folder: Path, tmp_path: Path) -> None:
    shown = run("attest", folder, "--key", keys.ann, "--gnupg-home", keys.room.home)
    assert (shown.exit_code, "it is never rewritten" in shown.output) == (2, True)
    out = tmp_path / "again.json"
    words = ("attest", folder, "--key", keys.ann, "--gnupg-home", keys.room.home, "--out", out)
    assert run(*words).exit_code == 0
    assert (run(*words).exit_code, out.stat().st_mode & 0o777) == (2, 0o644)


def test_a_verdict_that_its_runs_do_not_give_is_not_attested(keys: Keys, folder: Path) -> None:
    path = folder / "verdict.json"
    path.write_text(path.read_text().replace("Title of a", "Another title"))
    with pytest.raises(ReleaseError, match=r"verdict\.json is not what the runs beside it give"):
        attest(folder, keys.ann, keys.room.home)


def test_a_candidate_without_files_is_nothing_to_attest(keys: Keys, tmp_path: Path) -> None:
    folder = judged(tmp_path / "run", rc="rc1")
    with pytest.raises(ReleaseError, match="there is nothing to attest: the candidate lists no file"):
        attest(folder, keys.ann, keys.room.home)


def test_a_verdict_without_a_candidate_is_nothing_to_attest(keys: Keys, folder: Path) -> None:
    (folder / "candidate.toml").write_text("broken")
    (folder / "verdict.json").write_text(verdict_json(recompute(folder, NOW)))
    with pytest.raises(
        ReleaseError, match="nothing to attest: the verdict is INVALID and names no candidate"
    ):
        attest(folder, keys.ann, keys.room.home)


def test_a_candidate_that_changes_while_it_is_attested_is_told(
    keys: Keys, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = (candidate_with_files("rc4"), "candidate.toml")
    monkeypatch.setattr(attestation, "_candidate_of", lambda _: changed)
    with pytest.raises(ReleaseError, match=r"candidate\.toml: is not the candidate that was judged"):
        attest(folder, keys.ann, keys.room.home)


def test_a_key_that_is_not_there_is_told(keys: Keys, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=f"there is no secret key {'A' * 40} in {keys.room.home}"):
        attest(folder, "A" * 40, keys.room.home)
    with pytest.raises(ReleaseError, match="there is no such folder; --gnupg-home names gpg's home"):
        attest(folder, keys.ann, tmp_path / "none")
    with pytest.raises(ReleaseError, match="is no full fingerprint"):
        attest(folder, keys.ann[-16:], keys.room.home)


def test_gpgs_own_default_home_is_used_unless_another_is_named(
    keys: Keys, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GNUPGHOME", str(keys.room.home))
    assert json.loads(attest(folder, keys.ann))["signatures"][0]["keyid"] == keys.ann.lower()


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (subprocess.TimeoutExpired("gpg", 10), "did not sign within 10 s; if it waits for a passphrase"),
        (OSError("returned 2\ngpg: no pinentry"), "gpg did not sign: gpg: no pinentry; try it by hand"),
        (RuntimeError("armour"), "gpg's signature is of no use: armour; try it by hand"),
    ],
)
def test_when_gpg_does_not_sign_the_message_says_what_to_do(
    keys: Keys, folder: Path, monkeypatch: pytest.MonkeyPatch, raised: Exception, said: str
) -> None:
    def fail(*_: object) -> None:
        raise raised

    monkeypatch.setattr(GPGSigner, "sign", fail)
    with pytest.raises(ReleaseError) as caught:
        attest(folder, keys.ann, keys.room.home)
    assert said in str(caught.value)


# What is left behind


def agents_of(home: Path) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue  # ended meanwhile
        if words[0].endswith(b"gpg-agent") and str(home).encode() in words:
            found.append(path.parent.name)
    return found


def agents_end(home: Path) -> bool:
    """Say whether no agent of this home is left; one that was told to end may take a moment on a busy machine."""
    deadline = time.monotonic() + 10
    while agents_of(home) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not agents_of(home)


def test_verifying_leaves_no_home_and_no_agent(
    folder: Path, check: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    homes: list[Path] = []
    made = tempfile.mkdtemp

    def noted(*words: Any, **how: Any) -> str:
        homes.append(Path(made(*words, **how)))
        return str(homes[-1])

    monkeypatch.setattr(tempfile, "mkdtemp", noted)
    for name, value in (("GNUPGHOME", "/nonexistent"), ("GNUPG", "/bin/false")):
        monkeypatch.setenv(name, value)
    assert check().exit_code == 0
    (folder / ATTESTATION_FILE).write_bytes(b"")
    assert check().exit_code == BAD
    assert homes
    assert not [home for home in homes if home.exists() or not agents_end(home)]


def test_attesting_in_a_home_leaves_its_agent_as_it_was(keys: Keys, folder: Path, tmp_path: Path) -> None:
    home = keys.room.home
    keys.room.gpg("--list-secret-keys")  # starts one
    attest(folder, keys.ann, home)
    assert agents_of(home)
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"], check=True, timeout=30)
    with_blank = Path(shutil.copytree(home, f"{home} a'b", ignore=shutil.ignore_patterns("S.*")))
    try:
        attest(folder, keys.ann, with_blank)
        assert agents_end(with_blank)
    finally:
        shutil.rmtree(with_blank)
