"""Connecting to Redis, and refusing one that would lose what it acknowledged."""

from __future__ import annotations

import logging

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from app.base.errors import StoreUnavailable, UserError

log = logging.getLogger("beanpole.store")

# Streams, `ZADD GT` and EVALSHA_RO-free scripts work from 6.2 on; Valkey counts on from 7.2.
OLDEST = (6, 2)
# A server that says nothing for so long is taken for dead. Nothing may block longer than this. Seconds.
SILENCE = 20.0
LONGEST_BLOCK = 10.0


def connect(url: str) -> Redis:
    """A client for `url` (`redis://`, `rediss://` or `unix://`), checked.

    Commands are never retried on the quiet: a commit whose answer was lost may have happened.

    Raises:
        StoreUnavailable: nobody answers there.
        UserError: whoever answers can't be used, and why.
    """
    try:
        client = Redis.from_url(
            url,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=5,
            socket_timeout=SILENCE,
            health_check_interval=0,
            protocol=2,
        )
    except ValueError as exc:
        raise UserError(f"the Redis address {url!r} can't be used: {exc}") from exc
    try:
        info = client.info()
    except RedisError as exc:
        raise StoreUnavailable(
            f"no Redis answers at {_without_password(url)}: {exc}; start it, or set BEANPOLE_REDIS_URL"
        ) from exc
    check(info)
    return client


def check(info: dict[str, object]) -> None:
    """Refuse a server that is too old or may evict, by what its INFO says.

    Raises:
        UserError: which of it, and what to set.
    """
    version = str(info.get("valkey_version") or info.get("redis_version") or "0")
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < OLDEST:
        raise UserError(f"Redis {version} is too old: Beanpole needs 6.2 or newer, or Valkey")
    policy = str(info.get("maxmemory_policy", "noeviction"))
    if policy != "noeviction":
        raise UserError(
            f"this Redis may evict keys (maxmemory-policy {policy}), which would lose objects; "
            "set maxmemory-policy noeviction"
        )
    if info.get("role") == "slave":
        raise UserError("this Redis is a replica and takes no writes; give the address of its primary")
    if not info.get("aof_enabled"):
        log.warning("this Redis has no append-only file: a power loss would lose acknowledged writes")


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
