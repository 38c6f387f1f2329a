from __future__ import annotations

from typing import Any

from workers.agent.exchange.services import ServiceNews, Services


def answer(revision: int, **network: Any) -> dict[str, Any]:
    return {"epoch": 1, "revision": revision, "applied": revision, "network": network}


def test_where_the_pods_of_other_machines_are_follows_the_nodes() -> None:
    services = Services()
    first = answer(3, full=True, peers={"n1": ["192.0.2.1", ""], "n2": ["192.0.2.2", "10.244.2.0/24"]})
    assert services.fold(first).moved
    assert services.fold(answer(4, peers={})) == ServiceNews()
    news = services.fold(answer(5, peers={"n1": ["192.0.2.1", "10.244.1.0/24"]}, peersGone=["n2"]))
    assert (news.moved, news.changed) == (True, False)
    assert services.peers == {"n1": ("192.0.2.1", "10.244.1.0/24")}
    # Everything is told anew: who is not among it is gone.
    assert services.fold(answer(6, full=True, peers={"n3": ["192.0.2.3", "10.244.3.0/24"]})).moved
    assert services.peers == {"n3": ("192.0.2.3", "10.244.3.0/24")}
