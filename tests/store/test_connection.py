"""Which Redis is refused, and how that is said."""

from __future__ import annotations

import pytest

from app.base.errors import StoreUnavailable, UserError
from app.store.connection import check, connect


def test_a_redis_that_may_evict_is_refused_by_name_of_its_policy(own_valkey) -> None:
    client = connect(own_valkey.url)
    client.config_set("maxmemory-policy", "allkeys-lru")
    with pytest.raises(UserError, match="allkeys-lru.*set maxmemory-policy noeviction"):
        connect(own_valkey.url)


def test_a_redis_that_is_too_old_is_refused() -> None:
    with pytest.raises(UserError, match=r"Redis 5.0.7 is too old"):
        check({"redis_version": "5.0.7"})


def test_a_replica_is_refused() -> None:
    with pytest.raises(UserError, match="replica"):
        check({"redis_version": "7.2.0", "role": "slave"})


def test_an_address_nobody_answers_at_is_named_without_its_password() -> None:
    with pytest.raises(StoreUnavailable) as raised:
        connect("unix://:hunter2@/nonexistent/valkey.sock")
    assert "hunter2" not in str(raised.value)
    assert "BEANPOLE_REDIS_URL" in str(raised.value)


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(UserError, match="can't be used"):
        connect("ftp://somewhere")
