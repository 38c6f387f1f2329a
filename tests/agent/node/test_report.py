"""The node as it is reported."""

from __future__ import annotations

from tests.agent.world import START
from workers.agent.node.report import node_object, says_the_same
from workers.runtime.protocol import NodeInfo


def test_a_heartbeat_alone_is_no_news_and_a_transition_keeps_its_time() -> None:
    info = NodeInfo(2000, 1 << 30, 1 << 40, 110, "x://1", "6", "os", "x86_64")
    first = node_object("n", "q", "10.0.0.1", info, (), None, START)
    later = node_object("n", "q", "10.0.0.1", info, (), first, START + 60)
    assert says_the_same(first, later)
    short = node_object("n", "q", "10.0.0.1", info, ("MemoryPressure",), first, START + 60, trouble="down")
    assert not says_the_same(first, short)
    since = {c["type"]: (c["status"], c["lastTransitionTime"][-9:]) for c in short["status"]["conditions"]}
    assert since == {
        "MemoryPressure": ("True", "08:01:00Z"),
        "DiskPressure": ("False", "08:00:00Z"),
        "PIDPressure": ("False", "08:00:00Z"),
        "Ready": ("False", "08:01:00Z"),
    }
