"""Every reason why a signature is accepted or refused: a stable code and the sentence of the report."""

from __future__ import annotations

from pytest_ovirt_release.checks.openpgp_status import GOOD

LARGEST_SIGNATURE = 64 * 1024

SENTENCES = {
    GOOD: "signed by {signer}, who holds the role {role}",
    "signature-missing": "there is no signature file",
    "signature-empty": "the signature file is empty",
    "signature-too-large": f"the signature file is larger than {LARGEST_SIGNATURE} bytes, so it is no signature",
    "not-a-signature": "the file holds no OpenPGP signature",
    "bad-signature": "the signature does not fit these bytes: the file was changed, or the signature is of another file",
    "signature-of-other-file": "the file is what it should be, so the signature is of another file",
    "damaged-signature": "the signature is of these bytes, but was damaged or forged: {signer} did not make it",
    "unknown-signer": "signed by a key ({signer}) that is not pinned on the page",
    "not-authorised": "signed by {signer}, who does not hold the role {role}{instead}",
    "expired-key": "signed by {signer} with a key that had already expired when it signed",
    "expired-key-lived": "signed by {signer} while the key was valid, but the key has expired since",
    "revoked-key": "signed by {signer} with a key that was revoked",
    "expired-signature": "the signature itself was made to expire, and it has",
    "weak-digest": "signed over {digest}, which can be forged; SHA-256 or stronger is wanted",
    "wrong-class": "signed with class {signature_class}, where a signature of the file's bytes (00) is wanted",
    "future-dated": "the signature is dated {signed_at}, which lies in the future",
    "too-early": "the signature is dated {signed_at}, before the role {role} began",
    "too-few-signers": "fewer holders of the role {role} signed than the page asks for",
    "ambiguous-signatures": "gpg could not judge each of its signatures, so none is believed",
    "unverifiable": "gpg could not verify the signature",
}
