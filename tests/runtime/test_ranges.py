"""Clusters on one engine share no addresses."""

from __future__ import annotations

import itertools
from ipaddress import IPv4Network

import pytest

from workers.runtime.docker.ranges import PARTS, Part, choose, parts
from workers.runtime.protocol import ContainerError

USUAL = Part(IPv4Network("10.244.0.0/14"), IPv4Network("10.96.0.0/16"))
BRIDGE = {"bridge": IPv4Network("172.17.0.0/16")}


def test_the_first_cluster_gets_the_usual_ranges() -> None:
    assert choose(BRIDGE) == (USUAL, "")


def test_a_second_cluster_gets_others_and_is_told_why() -> None:
    part, why = choose(BRIDGE | {"beanpole-c-n1": IPv4Network("10.245.3.0/24")})
    assert part == Part(IPv4Network("10.240.0.0/14"), IPv4Network("10.97.0.0/16"))
    assert why == "beanpole-c-n1 has 10.245.3.0/24"


def test_a_network_in_the_services_range_counts_too() -> None:
    part, _ = choose({"office": IPv4Network("10.96.7.0/24")})
    assert part.services == IPv4Network("10.97.0.0/16")


def test_no_two_parts_overlap() -> None:
    all_ranges = [network for part in parts() for network in (part.pods, part.services)]
    assert len(all_ranges) == 2 * PARTS
    assert not any(a.overlaps(b) for a, b in itertools.combinations(all_ranges, 2))


def test_each_cluster_that_chooses_gets_what_no_other_has_until_all_is_taken() -> None:
    taken: dict[str, IPv4Network] = {}
    chosen = []
    for number in range(PARTS):
        part, _ = choose(taken)
        chosen.append(part)
        taken[f"beanpole-{number}"] = next(part.pods.subnets(new_prefix=24))
    assert len(set(chosen)) == PARTS
    with pytest.raises(ContainerError, match="BEANPOLE_POD_CIDR"):
        choose(taken)
