"""A CA and a server certificate as files: whether they verify each other, by the `openssl` program.

The program and not a handshake, because a release page names no private key, and a key is nothing a check
should read.
"""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_ovirt_release.errors import CheckFailed, ReleaseError
from pytest_ovirt_release.local import processes

DEADLINE = 30.0
EXPIRED, NOT_YET_VALID = 10, 9
WRONG_NAME = frozenset({62, 64})


@dataclass(frozen=True)
class PairFacts:
    """What stands in a CA's certificate and in the server certificate that it verified."""

    ca_subject: str
    subject: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    sha256: str

    def as_evidence(self) -> dict[str, Any]:
        """Return plain values for the report."""
        return {
            "CA": self.ca_subject,
            "subject": self.subject,
            "names": list(self.names),
            "not before": self.not_before.isoformat(),
            "not after": self.not_after.isoformat(),
            "days left": (self.not_after - datetime.now(UTC)).days,
            "SHA-256": self.sha256,
        }


def verify_pair(ca: Path, certificate: Path, host: str) -> PairFacts:
    """Return the facts of a CA and a server certificate that verify each other for a host.

    Raises:
        CheckFailed: ca-missing, certificate-missing, ca-unreadable, certificate-unreadable, no-alternative-name,
            wrong-name, expired, not-yet-valid, ca-does-not-verify.
        ReleaseError: `openssl` is not installed.
    """
    for path, code in ((ca, "ca-missing"), (certificate, "certificate-missing")):
        if not path.is_file():
            raise CheckFailed(code, f"the script ended without a {path.parent.name}/{path.name}")
    authority = _describe(ca, "ca-unreadable")
    server = _describe(certificate, "certificate-unreadable")
    if not server["names"]:
        raise CheckFailed(
            "no-alternative-name",
            f"{certificate.name} ({server['subject']}) names its host only in the subject: clients need a "
            "subjectAltName",
        )
    _verify(ca, certificate, host, server)
    return PairFacts(
        ca_subject=authority["subject"],
        subject=server["subject"],
        names=tuple(server["names"]),
        not_before=server["not_before"],
        not_after=server["not_after"],
        sha256=server["sha256"],
    )


def _verify(ca: Path, certificate: Path, host: str, server: dict[str, Any]) -> None:
    # -trusted makes this CA the only one that counts; the system's own stores stay out.
    how = ["-trusted", str(ca), "-purpose", "sslserver", *_name_option(host)]
    done = _openssl(["verify", *how, "--", str(certificate)])
    if done.status == 0:
        return
    numbers = {int(n) for n in re.findall(r"^error (\d+) at", done.output, re.MULTILINE)}
    reason = (
        " ".join(re.findall(r"^error \d+ at .*?: *(.+)$", done.output, re.MULTILINE)) or done.output.strip()
    )
    if numbers & WRONG_NAME:
        raise CheckFailed(
            "wrong-name", f"{certificate.name} is for {', '.join(server['names'])}, not for {host}"
        )
    code = (
        "expired"
        if EXPIRED in numbers
        else "not-yet-valid"
        if NOT_YET_VALID in numbers
        else "ca-does-not-verify"
    )
    raise CheckFailed(code, f"{ca.name} does not verify {certificate.name}: {reason}")


def _name_option(host: str) -> list[str]:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return ["-verify_hostname", host]
    return ["-verify_ip", host]


def _describe(path: Path, code: str) -> dict[str, Any]:
    wanted = ["-noout", "-subject", "-dates", "-fingerprint", "-sha256", "-nameopt", "oneline,utf8,-esc_msb"]
    done = _openssl(["x509", "-in", str(path), *wanted])
    names = _openssl(["x509", "-in", str(path), "-noout", "-ext", "subjectAltName"])
    found = dict(line.split("=", 1) for line in done.output.splitlines() if "=" in line)
    fingerprint = next((v for k, v in found.items() if k.casefold().startswith("sha256")), "")
    if done.status != 0 or "notAfter" not in found:
        raise CheckFailed(code, f"{path.name} is no certificate: {done.output.strip()[:300]}")
    return {
        "subject": found.get("subject", "").strip(),
        "names": re.findall(r"(?:DNS|IP Address|URI|email):[^,\s]+", names.output),
        "not_before": datetime.fromtimestamp(ssl.cert_time_to_seconds(found["notBefore"]), UTC),
        "not_after": datetime.fromtimestamp(ssl.cert_time_to_seconds(found["notAfter"]), UTC),
        "sha256": fingerprint.replace(":", "").casefold(),
    }


def _openssl(words: list[str]) -> processes.Finished:
    env = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}
    done = processes.run(["openssl", *words], deadline=DEADLINE, env=env, cwd=Path("/"))
    if done.timed_out:
        raise ReleaseError(f"openssl {words[0]} did not end within {DEADLINE:.0f} s")
    return done
