"""Whatever a run leaves is searched for its secrets, however they are written: after success and after failures."""

from __future__ import annotations

import base64
import gzip
import html
import json
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
import tomli_w

from pytest_ovirt_release.record.redact import MASK
from pytest_ovirt_release.target.lab_process import LabProcess, start_lab
from pytest_ovirt_release.target.loading import load_target
from tests.lab.conftest import LIVE, PAGE, ROOT, Finished, Suite

MAIN = "from pytest_ovirt_release.cli import main; main()"
LOUD = ("-vv", "--log-cli-level=DEBUG", "--showlocals", "--tb=long", "-rA", "-p", "tests.lab.secret_spy")
MOST_ENDS = 3
"""Base64 turns three bytes into four characters, so that both ends of a secret depend on what is beside it."""


def forms(secret: str) -> set[str]:
    """Return how a secret may be written: raw, URL-, HTML-, JSON- and base64-encoded, alone or inside other text."""
    data = secret.encode()
    inside = {base64.b64encode(b"x" * n + data)[4 : -4 - MOST_ENDS].decode() for n in range(3)}
    found = {
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        html.escape(secret),
        json.dumps(secret)[1:-1],
    }
    found |= {
        base64.b64encode(data).decode().rstrip("="),
        base64.urlsafe_b64encode(data).decode().rstrip("="),
    }
    return {*found, data.hex(), *(part for part in inside if len(part) > 8)}


def leaks(secrets: dict[str, str], texts: dict[str, str]) -> list[str]:
    """Return which secret stands where, without showing it."""
    return sorted(
        f"{name} in {where}"
        for name, secret in secrets.items()
        for where, text in texts.items()
        if any(form in text for form in forms(secret))
    )


def test_the_search_finds_every_form() -> None:
    secret = 'pa+ss/w"&<rd-häßlich'
    for text in (
        secret,
        f"password={quote_plus(secret)}",
        f"<b>{html.escape(secret)}</b>",
        json.dumps({"a": secret}),
        base64.b64encode(f"admin@internal:{secret}".encode()).decode(),
        base64.b64encode(f"a:{secret}:b".encode()).decode(),
        secret.encode().hex(),
    ):
        assert leaks({"it": secret}, {"here": f"… {text} …"}) == ["it in here"], text
    assert leaks({"it": secret}, {"here": "pa+ss/w"}) == []


class WithHtml(Suite):
    """The suite with pytest-html, whose page is searched too."""

    def command(self, *arguments: str) -> list[str]:
        words = super().command(*arguments)
        at = words.index("no:html")
        return [*words[: at - 1], *words[at + 1 :]]


@dataclass
class Loud:
    """Runs the suite as talkative as it gets, and reads everything it left."""

    suite: Suite
    folder: Path

    def run(self, target: Path, *arguments: str) -> tuple[Finished, dict[str, str], dict[str, str]]:
        """Return the run, its secrets by name, and all it left by where it is."""
        tokens = self.folder / "tokens"
        tokens.touch()
        beside = self.folder / "beside"
        beside.mkdir()
        report = ["--html", str(beside / "report.html"), "--junitxml", str(beside / "junit.xml")]
        log = ["--log-file", str(beside / "log.txt"), "--log-file-level=DEBUG"]
        finished = self.suite.run(
            "--release-target", str(target), *LIVE, *LOUD, *report, *log, *arguments,
            RELEASE_TEST_TOKENS=str(tokens),
        )  # fmt: skip
        left = {"the output": finished.output, "the bundle's list": self.bundle(finished, beside)}
        for root in (self.suite.reports, beside):
            left |= {str(p.relative_to(root)): content(p) for p in root.rglob("*") if p.is_file()}
        return finished, self.secrets(target, tokens), left

    @staticmethod
    def bundle(finished: Finished, beside: Path) -> str:
        """Pack the run for the release manager; its list names every file that is in it."""
        path = beside / "run.bundle.tar.gz"
        done = subprocess.run(
            [sys.executable, "-c", MAIN, "bundle", str(finished.folder), "--out", str(path)],
            cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        with tarfile.open(path) as packed:
            names = set(packed.getnames())
        listed = {line.split()[-1] for line in done.stdout.splitlines()[:-1]}
        assert names == listed | {"manifest.json"}
        inputs = {"manifest.json", "page.toml", "page-overlay.toml", "candidate.toml"}
        assert {n for n in names - inputs if not n.startswith(("journal/", "evidence/"))} == set()
        return done.stdout

    @staticmethod
    def secrets(target: Path, tokens: Path) -> dict[str, str]:
        """Return password, tokens, and the lines of private keys that only their owner knows."""
        loaded = load_target(target)
        assert loaded.engine.password_file is not None
        found = {"the password": loaded.engine.password_file.read_text().strip()}
        found |= {f"token {n}": token for n, token in enumerate(tokens.read_text().split())}
        for node in loaded.nodes:
            assert node.ssh.key_file is not None
            for number, line in enumerate(node.ssh.key_file.read_text().splitlines()[1:-1]):
                found[f"line {number} of a key"] = line
        return found


def content(path: Path) -> str:
    data = path.read_bytes()
    return (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8", "surrogateescape")


@pytest.fixture
def loud(tmp_path: Path) -> Loud:
    return Loud(WithHtml(tmp_path / "reports"), tmp_path)


@pytest.fixture
def lab() -> Iterator[Callable[..., LabProcess]]:
    """Start labs, and end them."""
    started: list[LabProcess] = []

    def start(*faults: str) -> LabProcess:
        started.append(start_lab(PAGE, "20", faults))
        return started[-1]

    yield start
    for one in started:
        one.stop(Path("/dev/null"))


@pytest.mark.parametrize("workers", ["-n0", pytest.param("-n2", marks=pytest.mark.long)])
def test_a_run_that_succeeds(loud: Loud, lab: Callable[..., LabProcess], workers: str) -> None:
    finished, secrets, left = loud.run(lab().target, workers)
    assert set(finished.states().values()) == {"passed"}, finished.details() + finished.output[-3000:]
    assert any(name.startswith("token") for name in secrets)
    assert leaks(secrets, left) == []
    if workers == "-n0":  # with workers nothing is logged live
        assert f"got Bearer {MASK}" in left["the output"], "live logs were expected to show masked secrets"
    assert f"Bearer {MASK}" in left["report.html"]


@pytest.mark.parametrize(
    "fault",
    [
        "approve-fails",
        *(
            pytest.param(fault, marks=pytest.mark.long)
            for fault in (
                "ca-mismatch",
                "node-never-registers",
                "nfs-mount-fails",
                "guest-never-executes",
                "pki-script-fails",
            )
        ),
    ],
)
def test_a_run_that_fails(loud: Loud, lab: Callable[..., LabProcess], fault: str) -> None:
    finished, secrets, left = loud.run(lab(fault).target, "-n2")
    assert "failed" in finished.states().values()
    assert leaks(secrets, left) == []


def test_a_run_with_a_wrong_password_and_keys_that_are_none(
    loud: Loud, lab: Callable[..., LabProcess], tmp_path: Path
) -> None:
    data = load_target(lab().target).model_dump(mode="json", by_alias=True, exclude_none=True)
    wrong = 'wrong+pass/w"&<rd-häßlich'
    (tmp_path / "pw").write_text(f"{wrong}\n")
    key = Path(data["nodes"][0]["ssh"]["key_file"]).read_text().splitlines()
    (tmp_path / "id").write_text("\n".join([*key[:2], "AAAA" + key[2][4:], *key[3:]]) + "\n")
    data["engine"]["password_file"] = str(tmp_path / "pw")
    data["engine"]["ssh"]["key_file"] = str(tmp_path / "id")
    target = tmp_path / "target.toml"
    target.write_text(tomli_w.dumps(data))
    finished, secrets, left = loud.run(target, "-n0")
    assert "errored" in finished.states().values()
    assert secrets["the password"] == wrong
    damaged = {
        f"damaged key, line {n}": line
        for n, line in enumerate((tmp_path / "id").read_text().splitlines()[1:-1])
    }
    assert leaks(secrets | damaged, left) == []
