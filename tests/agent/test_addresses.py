"""Which pod has which address of its node's range."""

from __future__ import annotations

import pytest

from workers.agent.addresses import Addresses, NoAddress


def test_addresses_leave_out_network_gateway_and_broadcast_and_never_double() -> None:
    addresses = Addresses("10.244.1.0/29")
    assert [addresses.take(str(i)) for i in range(5)] == [f"10.244.1.{i}" for i in range(2, 7)]
    with pytest.raises(NoAddress):
        addresses.take("one more")
    addresses.release("1")
    assert addresses.take("6") == "10.244.1.3"


def test_an_address_in_use_is_adopted_and_a_freed_one_rests() -> None:
    addresses = Addresses("10.244.1.0/24")
    addresses.adopt("old", "10.244.1.2")
    assert addresses.take("new") == "10.244.1.3"
    assert addresses.take("old") == "10.244.1.2"
    addresses.release("new")
    assert addresses.take("next") == "10.244.1.4"
