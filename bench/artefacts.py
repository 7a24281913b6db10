"""What it costs to accept a release's files: a large signed tarball, and the tags of many components.

Ratios of commands that ran in turns; nothing fails here. Run it by `nox -s bench`, or `python -m bench.artefacts --quick`.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.file_server import serving
from bench.ratios import LINUX_KIB, Arm, Line, environment, in_turns, least, ratio
from pytest_ovirt_release.checks.git import TagRef, ls_remote_tag
from pytest_ovirt_release.release.resolving import find_tags

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MEGABYTE = 1_000_000
COMPONENTS = 30
SLOWNESS = 1.0
"""Seconds that each git server takes to answer, as a busy one far away does."""

DEADLINE = 60.0


def main() -> None:
    """Print one line for each budget as soon as it is measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tarball of 50 MB, once")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        root = Path(name)
        env = environment(root / "bytecode")
        for line in (*_tarball(root, env, 50 if quick else 500, 2 if quick else 5), *_tags(root)):
            print(line, flush=True)


def _tarball(root: Path, env: Mapping[str, str], megabytes: int, times: int) -> Iterator[Line]:
    """Yield what download, digest and signature of a large file cost beside gpg and sha256sum on a local copy."""
    site = root / "site"
    site.mkdir()
    data = site / "big.tar"
    digest = hashlib.sha256()
    source = random.Random(45)  # noqa: S311 - bytes that cannot be packed, the same each time
    with data.open("wb") as file:
        for _ in range(megabytes):
            piece = source.randbytes(MEGABYTE)
            digest.update(piece)
            file.write(piece)
    with _signed(data) as (fingerprint, key), serving(site) as url:
        signature = f"{data}.sig"
        theirs = f'gpg --batch --no-tty --quiet --no-default-keyring --keyring {key} --verify "$1" "$2" && sha256sum "$2"'
        worker = (sys.executable, "-m", "bench.accept_file")
        folder = root / "arrived"
        peaks: list[float] = []
        arms = {
            "gpg, sha256sum": Arm(("sh", "-c", theirs, "sh", signature, str(data)), root),
            "ours": Arm(
                (*worker, f"{url}/big.tar", digest.hexdigest(), str(megabytes * MEGABYTE), fingerprint, str(key), str(folder)),
                Path(__file__).parents[1],
                after=lambda: peaks.append(_peak(folder)),
            ),
        }  # fmt: skip
        took = in_turns(arms, times, env)
    ours, plain = least(took["ours"]), least(took["gpg, sha256sum"])
    say = "import pathlib; print(pathlib.Path('/proc/self/status').read_text())"
    told = subprocess.run((sys.executable, "-c", say), check=True, capture_output=True, text=True, timeout=30)
    interpreter = _high_water(told.stdout)
    seconds = ratio([t.seconds for t in took["ours"]], [t.seconds for t in took["gpg, sha256sum"]])
    cpu = ratio([t.cpu for t in took["ours"]], [t.cpu for t in took["gpg, sha256sum"]])
    more = f"{ours.seconds:.2f} s : {plain.seconds:.2f} s; CPU {cpu:.2f} x"
    what = f"{megabytes} MB tarball: download, digest, signature : gpg, sha256sum"
    yield Line(what, seconds, "x", 1.1, more)
    yield Line(
        "  peak memory above the interpreter",
        max(peaks) - interpreter,
        "MiB",
        64.0,
        f"{max(peaks):.0f} MiB in all",
    )


def _peak(folder: Path) -> float:
    kilobytes = int((folder / "peak").read_text("ascii"))
    shutil.rmtree(folder)
    return kilobytes / LINUX_KIB


def _high_water(status: str) -> float:
    (line,) = (each for each in status.splitlines() if "VmHWM" in each)
    return int(line.split()[1]) / LINUX_KIB


@contextmanager
def _signed(data: Path) -> Iterator[tuple[str, Path]]:
    """Sign a file with a new key; yield fingerprint and keyring, which go at the end."""
    home = Path(tempfile.mkdtemp(prefix="bk-", dir="/tmp"))
    gpg = (
        "gpg",
        "--homedir",
        str(home),
        "--batch",
        "--no-tty",
        "--quiet",
        "--pinentry-mode",
        "loopback",
        "--passphrase",
        "",
    )

    def run(*words: str) -> str:
        return subprocess.run((*gpg, *words), check=True, capture_output=True, text=True, timeout=60).stdout

    try:
        run("--quick-gen-key", "Bench <bench@example.org>", "ed25519", "sign", "never")
        run("--output", f"{data}.sig", "--detach-sign", str(data))
        run("--output", str(home / "bench.gpg"), "--export")
        listed = run("--with-colons", "--list-keys").splitlines()
        yield next(line.split(":")[9] for line in listed if line.startswith("fpr:")), home / "bench.gpg"
    finally:
        stop = ("gpgconf", "--homedir", str(home), "--kill", "all")
        subprocess.run(stop, check=False, capture_output=True, timeout=30)
        shutil.rmtree(home, ignore_errors=True)


def _tags(root: Path) -> Iterator[Line]:
    """Yield how long the tags of many components take together, beside the slowest of them alone."""
    site = root / "git-site"
    bare = site / "git" / "0.git"
    bare.mkdir(parents=True)
    who = ("-c", "user.name=bench", "-c", "user.email=bench@example.org")
    tree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
    subprocess.run(("git", "init", "-q", "--bare", "."), cwd=bare, check=True, timeout=30)
    subprocess.run(
        ("git", "hash-object", "-t", "tree", "-w", "--stdin"),
        cwd=bare,
        input=b"",
        check=True,
        capture_output=True,
        timeout=30,
    )
    commit = subprocess.run(
        ("git", *who, "commit-tree", "-m", "x", tree),
        cwd=bare,
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
    )
    subprocess.run(
        ("git", "update-ref", "refs/tags/v1", commit.stdout.strip()), cwd=bare, check=True, timeout=30
    )
    for number in range(1, COMPONENTS):
        (site / "git" / f"{number}.git").symlink_to("0.git")
    with serving(site, slowness=SLOWNESS) as url:
        asked = [(f"{url}/git/{number}.git", "v1") for number in range(COMPONENTS)]
        alone = []
        for repository, tag in asked[:5]:
            began = time.perf_counter()
            found = ls_remote_tag(repository, tag, DEADLINE)
            alone.append(time.perf_counter() - began)
            _must_be_found(found)
        began = time.perf_counter()
        for each in find_tags(asked, ls_remote_tag, DEADLINE):
            _must_be_found(each)
        together = time.perf_counter() - began
    more = f"{together:.2f} s : {max(alone):.2f} s; every server answers after {SLOWNESS:.0f} s"
    yield Line(
        f"{COMPONENTS} components' tags at once : the slowest alone", together / max(alone), "x", 2.0, more
    )


def _must_be_found(tag: object) -> None:
    if not isinstance(tag, TagRef):
        sys.exit(f"a tag that is there was not found: {tag}")


if __name__ == "__main__":
    main()
