"""The packet filter's part of a cluster of Docker nodes: pods of one machine's nodes reach each other.

Docker keeps its bridges apart, and rewrites the sender of what leaves one. DOCKER-USER is where it leaves room for
others to decide first (https://docs.docker.com/engine/network/packet-filtering-firewalls/). Every rule names its
cluster in a comment, by which it is found again.
"""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import subprocess

log = logging.getLogger(__name__)

# How long one call may take. Seconds.
PATIENCE = 20.0
CHAINS = (("filter", "DOCKER-USER"), ("nat", "POSTROUTING"))


def join_nodes(cluster: str, cidr: str) -> None:
    """Let pods out of `cidr` reach each other, whichever node they are on. Needs root and iptables; without them
    says so. Doing it twice does no harm."""
    if not _may():
        log.warning(
            "not root, or no iptables: pods on different nodes of this one machine can't reach each other"
        )
        return
    within = ["-s", cidr, "-d", cidr, "-m", "comment", "--comment", comment(cluster)]
    for (table, chain), verdict in zip(CHAINS, ("ACCEPT", "RETURN"), strict=True):
        rule = [chain, *within, "-j", verdict]
        if _iptables("-t", table, "-C", *rule) is None:
            _iptables("-t", table, "-I", *rule)


def part_nodes(cluster: str) -> int:
    """Remove every rule of these two chains that names the cluster; how many those were."""
    removed = 0
    if not _may():
        return removed
    for table, chain in CHAINS:
        for rule in _naming(cluster, _iptables("-t", table, "-S", chain) or ""):
            removed += _iptables("-t", table, "-D", *rule) is not None
    return removed


def comment(cluster: str) -> str:
    return f"beanpole {cluster}"


def _naming(cluster: str, listed: str) -> list[list[str]]:
    """The rules, without their `-A`, that carry the cluster's comment."""
    rules = [shlex.split(line) for line in listed.splitlines() if line.startswith("-A ")]
    return [rule[1:] for rule in rules if ["--comment", comment(cluster)] in _pairs(rule)]


def _pairs(words: list[str]) -> list[list[str]]:
    return [words[i : i + 2] for i in range(len(words) - 1)]


def _may() -> bool:
    return os.geteuid() == 0 and shutil.which("iptables") is not None


def _iptables(*arguments: str) -> str | None:
    """What it printed; None if it failed."""
    # Another program may hold the lock of the tables for as long as it likes.
    call = ["iptables", "-w", "5", *arguments]
    try:
        done = subprocess.run(call, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.returncode == 0 else None
