"""Many nodes of one process: when they speak, and together with whom."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.base.errors import TooLarge, TooManyRequests
from app.base.ids import RandomIds
from app.client.http import Unreachable
from tests.agent.world import HandClock, MemoryApi, World, pod
from workers.agent.exchange.exchanger import COALESCE, LEAST_ROOM, NARROW, STATUSES, Exchanger, Turn
from workers.agent.exchange.outbox import ROOM, Batch, Outbox
from workers.agent.exchange.services import ServiceNews
from workers.agent.jobs import SteppedJobs


class Node:
    """An agent that remembers what it heard."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.news = 0
        self.heard: list[Any] = []
        self.kept = 0
        self.told: list[ServiceNews] = []
        self.breaks = False
        self.says = ""

    def speak(self, room: int) -> Turn:
        request = {"says": self.says or self.name}
        return Turn(request, Batch({}, {}), [], len(orjson.dumps(request)))

    def unheard(self, turn: Turn) -> None:
        self.kept += 1

    def hear(self, turn: Turn, answer: dict[str, Any], common: dict[str, Any]) -> None:
        self.heard.append((answer["for"], common["revision"]))
        self.news = 0
        if self.breaks:
            raise RuntimeError("nobody foresaw this")

    def services_changed(self, news: ServiceNews) -> None:
        self.told.append(news)


class Cluster:
    """An API that answers every node with its own name, and three nodes of one process."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.jobs = SteppedJobs(self.clock)
        self.requests: list[dict[str, Any]] = []
        self.network: dict[str, Any] = {}
        self.refused: dict[str, Any] = {}
        self.fails: Exception | None = None
        self.longest = math.inf
        self.exchanger = Exchanger(self._answer, self.jobs, self.clock, RandomIds(1))
        self.nodes = {name: Node(name) for name in ("a", "b", "c")}
        for node in self.nodes.values():
            self.exchanger.join(node)

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        self.requests.append(request)
        if self.fails:
            raise self.fails
        if len(orjson.dumps(request)) > self.longest:
            raise TooLarge("too long")
        nodes = {name: self.refused.get(name) or {"for": name} for name in request["nodes"]}
        return {
            "epoch": 1,
            "revision": len(self.requests),
            "applied": 0,
            "network": self.network,
            "nodes": nodes,
        }

    def run(self, seconds: float) -> list[set[str]]:
        """Let time pass; the nodes of each exchange made meanwhile."""
        end, before = self.clock.at + seconds, len(self.requests)
        self.jobs.run_due()
        while (due := self.jobs.next_due()) is not None and due <= end:
            self.clock.at = due
            self.jobs.run_due()
        self.clock.at = end
        return [set(request["nodes"]) for request in self.requests[before:]]


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def test_what_nodes_have_to_say_within_a_short_while_is_one_request(cluster: Cluster) -> None:
    cluster.exchanger.ask(["a"], COALESCE, news=True)
    cluster.run(COALESCE / 2)
    cluster.exchanger.ask(["b"], COALESCE, news=True)
    cluster.exchanger.ask(["c"], 5.0)
    assert cluster.run(1.0) == [{"a", "b"}]
    assert cluster.nodes["a"].heard == [("a", 1)]
    assert cluster.nodes["b"].heard == [("b", 1)]
    assert cluster.run(5.0) == [{"c"}]


def test_a_node_that_asks_twice_speaks_once_and_at_the_earlier_time(cluster: Cluster) -> None:
    cluster.exchanger.ask(["a"], 5.0)
    cluster.exchanger.ask(["a"], 0.0)
    cluster.exchanger.ask(["a"], 3.0)
    assert cluster.run(0.0) == [{"a"}]
    assert cluster.run(10.0) == []


def test_a_request_does_not_grow_beyond_bounds(cluster: Cluster) -> None:
    cluster.nodes["a"].news = cluster.nodes["b"].news = STATUSES - 1
    cluster.exchanger.ask(["a", "b", "c"], 0.0)
    assert cluster.run(0.5) == [{"a", "b"}, {"c"}]


def test_nodes_that_fill_a_request_leave_the_others_to_the_next(cluster: Cluster) -> None:
    cluster.nodes["a"].says = cluster.nodes["b"].says = "x" * (ROOM * 2 // 3)
    cluster.exchanger.ask(["a", "b", "c"], 0.0)
    assert cluster.run(0.5) == [{"a", "b"}, {"c"}]


def test_an_api_that_takes_shorter_requests_only_gets_shorter_ones(cluster: Cluster) -> None:
    for node in cluster.nodes.values():
        node.says = "x" * (ROOM * 3 // 10)
    cluster.longest = ROOM * 2 // 3
    cluster.exchanger.ask(["a", "b", "c"], 0.0)
    assert cluster.run(0.1) == [{"a", "b", "c"}, {"a", "b"}, {"c"}]
    cluster.exchanger.ask(["a", "b", "c"], 0.0)
    assert cluster.run(0.1) == [{"a", "b"}, {"c"}]


def test_an_api_that_takes_longer_requests_again_gets_them_in_a_while(cluster: Cluster) -> None:
    for node in cluster.nodes.values():
        node.says = "x" * (ROOM * 3 // 10)
    cluster.longest = ROOM * 2 // 3
    cluster.exchanger.ask(["a", "b", "c"], 0.0)
    cluster.run(NARROW)
    cluster.longest = math.inf
    cluster.exchanger.ask(["a", "b", "c"], 0.0)
    assert cluster.run(0.1) == [{"a", "b", "c"}]


def test_an_api_that_takes_nothing_is_asked_in_the_shortest_requests_and_with_pauses(
    cluster: Cluster,
) -> None:
    cluster.longest = 0
    cluster.exchanger.ask(["a"], 0.0)
    assert cluster.run(0.01) == [{"a"}] * (1 + (ROOM // LEAST_ROOM).bit_length() - 1)
    assert 2 <= len(cluster.run(10.0)) <= 20


def test_the_last_news_are_said_though_the_api_takes_shorter_requests_only(cluster: Cluster) -> None:
    cluster.exchanger.ask(["a"], 0.0)
    cluster.run(0.1)
    for node in cluster.nodes.values():
        node.says, node.news = "x" * (ROOM * 3 // 10), 1
    cluster.longest = ROOM // 2
    cluster.exchanger.farewell()
    assert [len(node.heard) for node in cluster.nodes.values()] == [2, 1, 1]


def test_of_what_a_node_has_to_say_as_much_goes_as_fits_and_how_a_pod_ended_before_that_it_is_gone() -> None:
    outbox = Outbox()
    pods = [pod(f"p{number}") for number in range(5)]
    for each in pods:
        outbox.status(each, {"message": "x" * 1000})
    outbox.removed(pods[4])
    said: list[str] = []
    while outbox:
        batch, _ = outbox.take(room=2500)
        assert 1 <= len(batch.statuses) <= 2
        said += [*batch.statuses, *(f"{uid} gone" for uid in batch.removed)]
        outbox.accepted(batch)
    uids = [each["metadata"]["uid"] for each in pods]
    assert said == [*uids, f"{uids[4]} gone"]


def test_what_changes_all_the_time_keeps_nothing_else_from_being_said() -> None:
    outbox = Outbox()
    restless, calm, gone = (pod(name) for name in ("restless", "calm", "gone"))
    outbox.status(restless, {"message": "x" * 1000})
    outbox.status(calm, {"message": "x" * 1000})
    outbox.removed(gone)
    said: list[str] = []
    for _ in range(2):
        batch, _ = outbox.take(room=1200)
        outbox.status(restless, {"message": "y" * 1000})
        outbox.accepted(batch)
        said += [*batch.statuses, *(f"{uid} gone" for uid in batch.removed)]
    names = [str(each["metadata"]["uid"]) for each in (restless, gone, calm)]
    assert said == [names[0], f"{names[1]} gone", names[2]]


def test_what_is_longer_than_the_room_there_is_goes_alone() -> None:
    outbox = Outbox()
    outbox.status(pod(), {"message": "x" * 1000})
    assert len(outbox.take(room=10)[0].statuses) == 1


def test_an_api_that_is_away_loses_nothing_and_is_asked_again_and_again(cluster: Cluster) -> None:
    cluster.fails = Unreachable("away")
    cluster.exchanger.ask(["a", "b"], 0.0)
    tries = cluster.run(60.0)
    assert tries[0] == {"a", "b"}
    assert 8 < len(tries) < 60
    assert cluster.nodes["a"].kept == cluster.nodes["b"].kept == len(tries)
    cluster.fails = None
    assert {"a", "b"} in cluster.run(10.0)
    assert cluster.nodes["a"].heard


def test_news_do_not_shorten_the_pause_that_an_api_asks_for_but_a_nudge_does(cluster: Cluster) -> None:
    cluster.fails = TooManyRequests("busy", retry_after=20)
    cluster.exchanger.ask(["a"], 0.0)
    assert len(cluster.run(0.1)) == 1
    cluster.exchanger.ask(["b"], COALESCE, news=True)
    assert cluster.run(5.0) == []
    cluster.exchanger.ask(["b"], 0.0)
    assert cluster.run(0.1) == [{"b"}]


def test_a_node_that_is_refused_speaks_again_later_and_the_others_were_heard(cluster: Cluster) -> None:
    status = {"kind": "Status", "reason": "BadRequest", "code": 400, "message": "no"}
    cluster.refused = {"b": {"error": status}}
    cluster.exchanger.ask(["a", "b", "c"], 0.0)
    assert cluster.run(0.1) == [{"a", "b", "c"}]
    assert (cluster.nodes["b"].heard, cluster.nodes["b"].kept) == ([], 1)
    assert cluster.nodes["a"].heard == [("a", 1)]
    cluster.refused = {}
    assert cluster.run(10.0) == [{"b"}]
    assert cluster.nodes["b"].heard == [("b", 2)]


def test_services_are_kept_once_and_every_node_hears_that_they_changed(cluster: Cluster) -> None:
    endpoint = {"targetRef": {"uid": "u1"}, "nodeName": "c", "conditions": {"ready": True}}
    piece = {"metadata": {"namespace": "default", "name": "web-1"}, "endpoints": [endpoint]}
    cluster.network = {"full": True, "services": [], "endpointslices": [piece]}
    cluster.exchanger.exchange(["a"])
    cluster.network = {"endpointslices": []}
    cluster.exchanger.exchange(["b"])
    assert [request["network"]["since"] for request in cluster.requests] == [0, 1]
    services = cluster.exchanger.services
    assert services.serving == {"c": {"u1"}}
    assert {name: node.told for name, node in cluster.nodes.items()} == {
        name: [ServiceNews(True, False)] for name in ("a", "b", "c")
    }
    cluster.network = {"endpointslicesGone": ["default/web-1"]}
    cluster.exchanger.exchange(["a"])
    assert services.serving == {}
    assert cluster.nodes["c"].told[-1] == ServiceNews(True, True)


def test_the_last_words_are_said_in_one_request_and_nothing_after(cluster: Cluster) -> None:
    cluster.exchanger.exchange(["a"])
    cluster.nodes["a"].news = cluster.nodes["c"].news = 1
    cluster.exchanger.farewell()
    assert set(cluster.requests[-1]["nodes"]) == {"a", "c"}
    cluster.exchanger.ask(["b"], 0.0)
    cluster.exchanger.farewell()
    assert cluster.run(10.0) == []


def test_a_node_that_fails_keeps_no_other_from_hearing_and_nobody_from_the_services(cluster: Cluster) -> None:
    cluster.nodes["a"].breaks = True
    cluster.network = {"full": True}
    with pytest.raises(RuntimeError):
        cluster.exchanger.exchange(["a", "b"])
    assert cluster.nodes["b"].heard == [("b", 1)]
    assert all(len(node.told) == 1 for node in cluster.nodes.values())


def test_a_node_with_more_to_say_than_the_api_takes_at_once_says_all_of_it(tmp_path: Path) -> None:
    class Strict(MemoryApi):
        def exchange(self, request: dict[str, Any]) -> dict[str, Any]:
            if len(orjson.dumps(request)) > 2 * LEAST_ROOM:
                raise TooLarge("too long")
            return super().exchange(request)

    world = World(tmp_path, api=Strict())
    uids = [world.api.put(pod(f"web-{number}", image=f"example.org/{'x' * 200}:1")) for number in range(100)]
    world.run(20.0)
    assert {world.status(uid).get("phase") for uid in uids} == {"Running"}
    for uid in uids:
        world.runtime.kill(uid, "web", 1)
    world.run(20.0)
    assert {world.status(uid)["containerStatuses"][0]["restartCount"] for uid in uids} == {1}
