"""A machine in miniature: network namespaces for a host with two bridges and pods on them."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from workers.network.rules import Endpoint

CLONE_NEWNET = 0x40000000


class Machine:
    """Namespaces named after `tag`: the host itself, and a pod at each of `pods`' addresses. Pods of one
    /24 share a bridge whose address is .1, as the pods of one node do."""

    def __init__(self, tag: str, pods: tuple[str, ...]) -> None:
        self.tag = tag
        self.pods = pods
        self._open: list[socket.socket] = []

    def build(self) -> None:
        self._ip("netns", "add", self.host)
        self._on(self.host, "link", "set", "lo", "up")
        self._on(self.host, "link", "add", "uplink", "type", "bridge")
        self._on(self.host, "addr", "add", "198.51.100.2/24", "dev", "uplink")
        self._on(self.host, "link", "set", "uplink", "up")
        self._on(self.host, "route", "add", "default", "via", "198.51.100.1")
        for number, subnet in enumerate(sorted({p.rpartition(".")[0] for p in self.pods})):
            self._on(self.host, "link", "add", f"br{number}", "type", "bridge")
            self._on(self.host, "addr", "add", f"{subnet}.1/24", "dev", f"br{number}")
            self._on(self.host, "link", "set", f"br{number}", "up")
            for ip in (p for p in self.pods if p.startswith(subnet + ".")):
                self._pod(ip, f"br{number}", f"{subnet}.1")

    def _pod(self, ip: str, bridge: str, gateway: str) -> None:
        pod, port = self.pod(ip), "v" + ip.replace(".", "")[-10:]
        self._ip("netns", "add", pod)
        self._on(self.host, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", pod)
        self._on(self.host, "link", "set", port, "master", bridge, "up")
        self._on(pod, "link", "set", "lo", "up")
        self._on(pod, "addr", "add", f"{ip}/24", "dev", "eth0")
        self._on(pod, "link", "set", "eth0", "up")
        self._on(pod, "route", "add", "default", "via", gateway)

    def destroy(self) -> None:
        for sock in self._open:
            sock.close()
        for name in (self.host, *(self.pod(p) for p in self.pods)):
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)

    @property
    def host(self) -> str:
        return f"{self.tag}-host"

    def pod(self, ip: str) -> str:
        return f"{self.tag}-{ip}"

    @staticmethod
    def _ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)

    def _on(self, namespace: str, *words: str) -> None:
        self._ip("-n", namespace, *words)

    def inside(self, namespace: str, function: Callable[[], Any]) -> Any:
        """Run `function` with this namespace as its network; sockets it makes stay there."""

        def enter() -> None:
            libc = ctypes.CDLL(None, use_errno=True)
            with open(f"/run/netns/{namespace}") as held:
                assert libc.setns(held.fileno(), CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())

        with ThreadPoolExecutor(1, initializer=enter) as pool:
            return pool.submit(function).result(timeout=30)

    def serve(self, ip: str, port: int = 8080) -> Endpoint:
        """A pod that answers every connection with its own address and its client's, line by line."""
        server = self.inside(self.pod(ip), lambda: socket.create_server((ip, port), backlog=64))
        self._open.append(server)
        threading.Thread(target=self._accept, args=(server, ip), daemon=True).start()
        return Endpoint(ip, port)

    def _accept(self, server: socket.socket, ip: str) -> None:
        while True:
            try:
                conn, peer = server.accept()
            except OSError:
                return
            threading.Thread(target=self._echo, args=(conn, ip, peer[0]), daemon=True).start()

    @staticmethod
    def _echo(conn: socket.socket, ip: str, peer: str) -> None:
        with conn:
            while conn.recv(100):
                conn.sendall(f"{ip} {peer}".encode())

    def connect(self, namespace: str, address: str, port: int) -> socket.socket:
        made = self.inside(namespace, lambda: socket.create_connection((address, port), timeout=3))
        self._open.append(made)
        return made

    def ask(self, namespace: str, address: str, port: int) -> tuple[str, str]:
        """`(pod that answered, client address it saw)`."""
        with self.connect(namespace, address, port) as sock:
            sock.sendall(b"?")
            pod, peer = sock.recv(100).decode().split()
            return pod, peer


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    if os.geteuid() != 0 or not all(shutil.which(p) for p in ("ip", "nft")):
        reason = "network namespaces and nftables take root and the programs ip and nft"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    made = Machine(f"bp{os.getpid()}", ("10.244.0.2", "10.244.0.3", "10.244.1.2"))
    try:
        made.build()
        assert Path(f"/run/netns/{made.host}").exists()
        yield made
    finally:
        made.destroy()
