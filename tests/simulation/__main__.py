"""Run many seeds: `python -m tests.simulation --seeds 10000`, or one again: `--seed 17`."""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import sys
import tempfile
from pathlib import Path

from tests.conftest import ValkeyServer
from tests.simulation.world import Failed, simulate


def run(arguments: tuple[str, int, int]) -> str:
    url, seed, steps = arguments
    try:
        simulate(url, seed, steps)
    except Failed as exc:
        return str(exc)
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many, counted from --first")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, help="run this one alone, in this process")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bp-sim-"))
    server = ValkeyServer(folder, appendonly=False)
    server.start()
    failed = 0
    try:
        if given.seed is not None:
            simulate(server.url, given.seed, given.steps)
            print(f"seed {given.seed}: holds")
            return 0
        wanted = [(server.url, seed, given.steps) for seed in range(given.first, given.first + given.seeds)]
        with multiprocessing.Pool(given.processes) as pool:
            for done, problem in enumerate(pool.imap_unordered(run, wanted), 1):
                if problem:
                    failed += 1
                    print(problem, flush=True)
                if done % 100 == 0:
                    print(f"{done} seeds, {failed} failed", flush=True)
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{given.seeds} seeds, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
