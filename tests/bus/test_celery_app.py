"""Celery's settings, as far as something depends on them."""

from __future__ import annotations

import pytest

from app.base.settings import Settings
from app.bus.celery_app import broker_url, make_app


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("redis://:pw@host:6379/1", "redis://:pw@host:6379/1"),
        ("amqp://guest@host//", "amqp://guest@host//"),
        ("unix:///run/v.sock?db=2", "redis+socket:///run/v.sock?virtual_host=2"),
        ("unix:///run/v.sock", "redis+socket:///run/v.sock?virtual_host=0"),
        ("unix://:a%2Fb@/run/v.sock?db=0", "redis+socket://:a%2Fb@/run/v.sock?virtual_host=0"),
        ("unix:///run/v.sock?password=a%40b", "redis+socket://:a%40b@/run/v.sock?virtual_host=0"),
    ],
)
def test_a_redis_on_a_socket_is_named_in_celerys_words(given, meant):
    assert broker_url(given) == meant


def test_a_task_ends_before_its_lease_and_that_before_its_message_comes_again():
    settings = Settings(lease=30.0)
    conf = make_app(settings).conf
    assert conf.task_time_limit < settings.lease < conf.broker_transport_options["visibility_timeout"]


def test_every_key_of_the_broker_lies_in_the_clusters_slot(store, redis_url, cluster):
    app = make_app(Settings(redis_url=redis_url, cluster=cluster))
    before = set(store.redis.keys("*"))
    app.send_task("beanpole.work", args=("maps", ["default/x"]))
    made = {key.decode() for key in set(store.redis.keys("*")) - before}
    assert made
    assert all(key.startswith(f"{{beanpole:{cluster}}}:bus:") for key in made)


def test_another_broker_gets_no_options_of_redis():
    assert make_app(Settings(broker_url="amqp://guest@host//")).conf.broker_transport_options == {}
