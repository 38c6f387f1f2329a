"""`python -m bench [names...]`: measure, print a table, write JSON."""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bench import agent, containers, idle, probes, rolling, scaleout, streams, verbs, watching
from bench.cluster import Target, fresh, given
from bench.reference import KUBERNETES
from bench.result import Result, table, write

ALL = ("startup", "idle", "verbs", "watch", "scale", "containers", "agent", "rolling", "probes", "streams")
SIMULATED = ("verbs", "watch", "scale")


def main() -> None:
    # Ended by a signal or by hand, a measurement takes its cluster away.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    args = _arguments()
    wanted = args.names or [n for n in ALL if not (args.kubeconfig and n == "startup")]
    results: list[Result] = []
    try:
        for name in wanted:
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            results += _measure(name, args)
    except KeyboardInterrupt:
        print("interrupted; what was measured until then:", file=sys.stderr)
    finally:
        if results:
            print(table(results, KUBERNETES))
            now = datetime.now(UTC)
            path = args.json or Path(__file__).parent / "results" / f"{now:%Y-%m-%d-%H%M%S}.json"
            write(path, now.isoformat(timespec="seconds"), results, KUBERNETES)
            print(f"written to {path}")


def _measure(name: str, args: argparse.Namespace) -> list[Result]:
    if name == "startup":
        return _startup(args)
    with _cluster(name, args) as target:
        if name == "scale":
            return scaleout.measure(target, args.pods, args.runs)
        if name == "verbs":
            return verbs.measure(target, args.runs, args.package)
        if name == "watch":
            return watching.measure(target, args.runs)
        if name == "containers":
            return containers.measure(target, args.runs)
        if name == "agent":
            return agent.measure(target, args.runs)
        if name == "probes":
            return probes.measure(target, args.runs)
        if name == "streams":
            return streams.measure(target, args.runs)
        if name == "rolling":
            return rolling.measure(target, args.runs)
        return idle.measure(target, 1)


@contextmanager
def _cluster(name: str, args: argparse.Namespace) -> Iterator[Target]:
    """The cluster that was given, else a new one of the kind that the measurement needs."""
    if args.kubeconfig:
        yield given(args.kubeconfig, args.runtime, args.root)
        return
    runtime = "simulated" if name in SIMULATED else args.runtime
    nodes = args.nodes if name == "scale" else 1
    with fresh(runtime, nodes) as (target, _):
        yield target


def _startup(args: argparse.Namespace) -> list[Result]:
    seconds = []
    for _ in range(args.runs):
        with fresh(args.runtime) as (_, took):
            seconds.append(took)
    return [Result("up -> node Ready", "s", tuple(seconds), note=args.runtime)]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"what to measure: {', '.join(ALL)} [all]")
    parser.add_argument("--kubeconfig", type=Path, help="measure this cluster instead of new ones")
    parser.add_argument("--json", type=Path, help="where to write the figures [bench/results/<date>.json]")
    parser.add_argument("--runs", type=int, default=3, help="runs of each; medians are shown [3]")
    parser.add_argument("--pods", type=int, default=3000, help="pods of the scale-out [3000]")
    parser.add_argument("--nodes", type=int, default=100, help="simulated nodes of the scale-out [100]")
    parser.add_argument("--root", type=int, default=0, help="the process of which a given cluster descends")
    parser.add_argument("--runtime", choices=["docker", "process"], help="real containers [as found]")
    parser.add_argument("--package", action="store_true", help="latency through the `kubernetes` package")
    args = parser.parse_args()
    unknown = sorted(set(args.names) - set(ALL))
    if unknown:
        parser.error(f"no such measurement: {', '.join(unknown)}; there are {', '.join(ALL)}")
    if args.runs < 1 or args.pods < 1 or args.nodes < 1:
        parser.error("--runs, --pods and --nodes are at least 1")
    if args.kubeconfig and not args.kubeconfig.is_file():
        parser.error(f"no kubeconfig at {args.kubeconfig}")
    args.runtime = args.runtime or _found_runtime()
    return args


def _found_runtime() -> str:
    docker = shutil.which("docker")
    if docker and subprocess.run([docker, "info"], capture_output=True, check=False).returncode == 0:
        return "docker"
    return "process"


if __name__ == "__main__":
    main()
