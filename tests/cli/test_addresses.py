"""The ranges of a new cluster."""

from __future__ import annotations

import ipaddress

import pytest

from app.base.errors import UserError
from app.base.ids import RandomIds
from app.cli.addresses import SIMULATED, USUAL, Ranges, check, ranges_for


@pytest.mark.parametrize("seed", range(20))
def test_process_clusters_draw_loopback_ranges_that_fit(seed: int) -> None:
    drawn = ranges_for("process", RandomIds(seed))
    check(drawn, "process", 24)
    assert ipaddress.ip_network(drawn.pod_cidr).num_addresses == 2**17


def test_process_clusters_seldom_draw_the_same() -> None:
    assert len({ranges_for("process", RandomIds(seed)).pod_cidr for seed in range(40)}) > 20


def test_the_usual_ranges_pass() -> None:
    check(USUAL, "docker", 24)
    check(SIMULATED, "simulated", 24)


@pytest.mark.parametrize(
    ("ranges", "runtime", "words"),
    [
        (Ranges("10.96.0.0/16", "10.96.128.0/17"), "docker", "overlap"),
        (Ranges("10.96.0.1/16", "10.244.0.0/14"), "docker", "BEANPOLE_SERVICE_CIDR='10.96.0.1/16'"),
        (Ranges("10.96.0.0/30", "10.244.0.0/14"), "docker", "too small"),
        (Ranges("10.96.0.0/16", "fd00::/64"), "docker", "IPv4"),
        (Ranges("127.96.0.0/16", "10.244.0.0/14"), "process", "127.0.0.0/8"),
    ],
)
def test_ranges_in_which_no_cluster_can_live_are_refused(ranges: Ranges, runtime: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        check(ranges, runtime, 24)
