"""Which data plane a machine gets, and agents that share one."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from app.base.settings import Settings
from workers.network import select
from workers.network.conntrack import removal, ways
from workers.network.nft import NftPlane
from workers.network.node import NodeNetwork
from workers.network.rules import Endpoint, Rule, Rules
from workers.network.select import NoPlane, Unavailable, make_data_plane
from workers.network.turn import turn
from workers.network.userspace import UserspacePlane


def test_each_runtime_gets_its_data_plane(monkeypatch, tmp_path):
    settings = Settings(state_dir=tmp_path)
    assert type(make_data_plane(settings, "simulated")) is NoPlane
    proxy = make_data_plane(settings, "process")
    assert type(proxy) is UserspacePlane
    proxy.close()
    monkeypatch.setattr(select, "lacking", lambda: "")
    assert type(make_data_plane(settings, "docker")) is NftPlane


def test_docker_without_root_says_what_to_do_and_everything_else_goes_on(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    plane = make_data_plane(Settings(state_dir=tmp_path), "docker")
    assert type(plane) is Unavailable
    assert "run the agent as root, or use --runtime process" in plane.problems()[""]
    plane.apply(Rules((), 7))
    assert plane.revision == 7


def test_an_agent_that_lags_behind_must_not_write_over_a_newer_revision(tmp_path):
    other = subprocess.Popen(
        [
            sys.executable, "-c",
            "import sys; from pathlib import Path; from workers.network.turn import turn\n"
            "with turn(Path(sys.argv[1]), 't') as mine: mine.wrote(10, 'x')\n"
            "print('written', flush=True); sys.stdin.read()",
            str(tmp_path),
        ],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.getcwd()},
    )  # fmt: skip
    assert other.stdout is not None
    assert other.stdout.readline() == b"written\n"
    with turn(tmp_path, "t") as mine:
        assert mine.outdated(9)
        assert not mine.outdated(10)
    other.communicate(b"")
    with turn(tmp_path, "t") as mine:
        assert not mine.outdated(9), "a writer that is gone binds nobody"


@pytest.mark.parametrize("held", ["", "{", json.dumps({"pid": 1})])
def test_a_damaged_record_of_the_last_turn_counts_as_none(tmp_path, held):
    (tmp_path / "t.written").write_text(held)
    with turn(tmp_path, "t") as mine:
        assert mine.last is None


def test_of_an_endpoint_that_is_gone_datagrams_and_unanswered_connections_are_forgotten() -> None:
    a, b = Endpoint("10.244.0.1", 53), Endpoint("10.244.0.2", 53)
    old = Rules((Rule("10.96.0.1", "TCP", 53, "d/n", (a, b)), Rule("10.96.0.1", "UDP", 53, "d/n", (a, b))))
    new = Rules((Rule("10.96.0.1", "TCP", 53, "d/n", (b,)), Rule("10.96.0.1", "UDP", 53, "d/n", (b,))))
    gone = ["--orig-dst", "10.96.0.1", "--orig-port-dst", "53", "--dst-nat", "10.244.0.1"]
    assert [removal(way) for way in sorted(ways(old) - ways(new))] == [
        ["conntrack", "-D", "-p", "tcp", "--state", "SYN_SENT", *gone],
        ["conntrack", "-D", "-p", "udp", *gone],
    ]


def test_a_node_keeps_its_rules_and_hosts_files_up_to_what_it_is_told():
    network = NodeNetwork(Settings(), "simulated", "n1")
    pod = {"metadata": {"name": "p", "namespace": "default"}, "spec": {}}
    service = {
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"clusterIP": "127.96.0.10", "ports": [{"port": 80}]},
    }
    assert network.update([service], [], 5)
    assert network.revision == 5
    assert "127.96.0.10\tweb web.default" in network.hosts(pod, "127.128.0.2")
    assert network.update([], [], 6)
    assert "web" not in network.hosts(pod, "127.128.0.2")
