"""Many requests, chosen anew each time: `python -m tests.fuzz --requests 200000`, or the same again: `--seed 17`."""

from __future__ import annotations

import argparse
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from tests.conftest import ValkeyServer
from tests.fuzz.rounds import SHARES, run
from tests.fuzz.world import world_at


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--requests", type=int, default=sum(SHARES.values()), help="how many, of all sorts")
    parser.add_argument("--seed", type=int, help="what chooses them")
    parser.add_argument("--sort", choices=sorted(SHARES), help="this sort alone")
    given = parser.parse_args()
    chosen = secrets.randbits(32) if given.seed is None else given.seed
    shares = {given.sort: SHARES[given.sort]} if given.sort else SHARES
    folder = Path(tempfile.mkdtemp(prefix="bp-fuzz-"))
    server = ValkeyServer(folder, appendonly=False)
    server.start()
    made = failed = 0
    try:
        for sort, share in shares.items():
            wanted = given.requests * share // sum(shares.values())
            again = f"python -m tests.fuzz --seed {chosen} --sort {sort} --requests {wanted}"
            with world_at(server.url) as world:
                try:
                    made += run(world, sort, wanted, chosen)
                except (AssertionError, ExceptionGroup) as exc:
                    failed += 1
                    print(f"{exc}\n" + "\n".join(getattr(exc, "__notes__", ())), flush=True)
                    print(f"again: {again}", flush=True)
            print(f"{sort}: {made} requests so far, {failed} sorts failed", flush=True)
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{made} requests with seed {chosen}, {failed} sorts failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
