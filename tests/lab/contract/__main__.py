"""Show where the lab differs from the recordings: `python -m tests.lab.contract [TOPIC…] [--folder CAPTURE]`."""

# ruff: noqa: T201 - a program whose output is what it prints
from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.lab.contract import scope
from tests.lab.contract.derive import folders, topic
from tests.lab.contract.model import topics
from tests.lab.contract.replay import DIFFERS, replay
from tests.lab.engine.fakes import Bench, FakePki

SPEED = 10.0


def main() -> None:
    """Replay and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("topic", nargs="*", help="beginnings of topic names; all without one")
    parser.add_argument(
        "--folder", type=Path, help="a folder of raw recordings instead of the committed facts"
    )
    parser.add_argument("--write", action="store_true", help="write differs.txt anew, from all topics")
    parser.add_argument("--speed", type=float, default=SPEED)
    arguments = parser.parse_args()
    found = topics() if arguments.folder is None else [topic(folder) for folder in folders(arguments.folder)]
    total = 0
    names: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        pki = FakePki.make(Path(scratch))
        for item in found:
            if item.name in scope.TOPICS or (
                arguments.topic and not item.name.startswith(tuple(arguments.topic))
            ):
                continue
            folder = Path(scratch) / item.name
            folder.mkdir()
            bench = Bench(folder, pki, speed=arguments.speed, addresses=())
            try:
                differences = replay(item, bench, arguments.speed)
            finally:
                bench.close()
            differing = {d.exchange for d in differences}
            print(
                f"===== {item.name}: {len(item.exchanges)} exchanges, {len(differing)} differ, {len(differences)} differences"
            )
            for difference in differences:
                print(difference)
            total += len(differences)
            names += sorted(f"{item.name}/{name}" for name in differing)
    print(f"{total} differences")
    if arguments.write:
        DIFFERS.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


if __name__ == "__main__":
    main()
