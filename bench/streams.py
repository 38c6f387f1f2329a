"""What goes through `kubectl` into pods and out of them: logs, files, and keystrokes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.api import Access
from bench.cluster import NAMESPACE, Target, make_namespace, wait_until
from bench.deployment import PODS, is_ready
from bench.result import Result, percentile
from bench.workload import IMAGE, make_image

NAME = "streams"
# Bytes.
SIZE = 100_000_000
LINE = 100
KEYSTROKES = 300
SECONDS = 300
# Busybox under its own name is all that the measurements' image is sure to have.
_SCRIPT = """
b=; [ -x /bin/busybox ] && b=/bin/busybox
[ -n "$b" ] && $b mkdir -p /tmp && for name in tar cat rm; do [ -e /bin/$name ] || $b ln -s busybox /bin/$name; done
line=$(printf %099d 0)
$b yes $line | $b head -n 1000000
while :; do sleep 1000; done
"""


def measure(target: Target, runs: int) -> list[Result]:
    """Megabytes (10^6 bytes) a second of `kubectl logs` and of `kubectl cp` in both directions, and milliseconds until
    a line typed into `kubectl exec -i ... cat` comes back. A kubectl's own start is counted, but for keystrokes.

    The log has 1,000,000 lines: the node must keep as much of one (`BEANPOLE_LOG_MAX_SIZE=200Mi`).
    """
    if target.runtime == "docker":
        make_image()
    client = target.client()
    make_namespace(client)
    folder = Path(tempfile.mkdtemp(prefix="beanpole-bench-streams-"))
    try:
        kubectl = _kubectl(target.access, folder)
        client.json("POST", PODS, _pod())
        wait_until(lambda: is_ready(client.json("GET", f"{PODS}/{NAME}")), SECONDS, "a pod", every=0.1)
        last = [*kubectl, "logs", NAME, "--tail=1"]
        wait_until(
            lambda: _printed(kubectl) == SIZE, SECONDS, f"a log of {SIZE} bytes; see {last}", every=1.0
        )
        logs = tuple(_logs(kubectl) for _ in range(runs))
        copied = [_copied(kubectl, folder) for _ in range(runs)]
        keys = tuple(1000 * percentile(_keystrokes(kubectl), 0.5) for _ in range(runs))
    finally:
        client.request("DELETE", f"{PODS}/{NAME}")
        shutil.rmtree(folder, ignore_errors=True)
    note = f"{SIZE // 1_000_000} MB, {target.runtime}"
    return [
        Result("kubectl logs", "MB/s", logs, higher_is_better=True, note=f"{note}, lines of {LINE} bytes"),
        Result(
            "kubectl cp into a pod", "MB/s", tuple(c[0] for c in copied), higher_is_better=True, note=note
        ),
        Result(
            "kubectl cp out of a pod", "MB/s", tuple(c[1] for c in copied), higher_is_better=True, note=note
        ),
        Result(
            "keystroke p50", "ms", keys, note=f"a line through cat, {KEYSTROKES} of them, {target.runtime}"
        ),
    ]


def _pod() -> dict[str, Any]:
    container = {"name": "main", "image": IMAGE, "command": ["/bin/sh", "-c", _SCRIPT]}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 0}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": spec,
    }


def _kubectl(access: Access, folder: Path) -> list[str]:
    """The command that reaches the cluster: the kubectl beside this Python, else the one on the PATH."""
    own = Path(sys.executable).parent / "kubectl"
    program = str(own) if own.exists() else shutil.which("kubectl")
    if program is None:
        raise SystemExit("streams: there is no kubectl")
    path = folder / "kubeconfig"
    path.write_text(json.dumps(_kubeconfig(access, folder)))
    return [program, f"--kubeconfig={path}", f"--namespace={NAMESPACE}"]


def _kubeconfig(access: Access, folder: Path) -> dict[str, Any]:
    cluster: dict[str, Any] = {"server": f"{'https' if access.tls else 'http'}://{access.host}:{access.port}"}
    user: dict[str, Any] = {"token": access.token} if access.token else {}
    if access.ca and access.verify:
        (folder / "ca").write_text(access.ca)
        cluster["certificate-authority"] = str(folder / "ca")
    elif access.tls:
        cluster["insecure-skip-tls-verify"] = True
    if access.cert:
        (folder / "user").write_text(access.cert)
        user["client-certificate"] = user["client-key"] = str(folder / "user")
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }


def _printed(kubectl: list[str]) -> int:
    """Bytes of the whole log."""
    with subprocess.Popen([*kubectl, "logs", NAME], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        return sum(len(piece) for piece in iter(lambda: os.read(process.stdout.fileno(), 1 << 20), b""))  # type: ignore[union-attr]


def _logs(kubectl: list[str]) -> float:
    began = time.perf_counter()
    size = _printed(kubectl)
    return size / 1e6 / (time.perf_counter() - began)


def _copied(kubectl: list[str], folder: Path) -> tuple[float, float]:
    """Into the pod and out of it."""
    here, back, there = folder / "file", folder / "back", f"/tmp/{folder.name}.copy"
    if not here.exists():
        here.write_bytes(os.urandom(1_000_000) * (SIZE // 1_000_000))
    inward = _timed([*kubectl, "cp", str(here), f"{NAME}:{there}"])
    outward = _timed([*kubectl, "cp", f"{NAME}:{there}", str(back)])
    if back.read_bytes() != here.read_bytes():
        raise SystemExit("kubectl cp: what came back is something else")
    _timed([*kubectl, "exec", NAME, "--", "rm", there])
    return SIZE / 1e6 / inward, SIZE / 1e6 / outward


def _timed(command: list[str]) -> float:
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[3:])}: {done.stderr}")
    return time.perf_counter() - began


def _keystrokes(kubectl: list[str]) -> list[float]:
    """Seconds of each."""
    command = [*kubectl, "exec", "-i", NAME, "--", "cat"]
    taken: list[float] = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(KEYSTROKES + 1):
            began = time.perf_counter()
            os.write(process.stdin.fileno(), b"x\n")
            if os.read(process.stdout.fileno(), 100) != b"x\n":
                raise SystemExit("kubectl exec: what came back is something else")
            taken.append(time.perf_counter() - began)
        process.stdin.close()
    # The first waits for kubectl to be connected.
    return taken[1:]
