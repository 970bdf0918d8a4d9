"""The stores the other tests stand on: what a crash and a pause do to them."""

import pymongo
import pytest
import redis


def test_data_survive_a_kill(private_stores):
    p = private_stores
    p.psql("CREATE TABLE t AS SELECT 1 AS a")
    p.mongo_db().t.with_options(write_concern=pymongo.WriteConcern(j=True)).insert_one({"a": 1})
    p.redis_client().set("a", 1)
    for store in (p.postgres, p.mongo, p.redis):
        store.kill()
        assert not store.running
        store.start()
    assert p.psql("SELECT a FROM t") == "1"
    assert p.mongo_db().t.find_one()["a"] == 1
    assert p.redis_client().get("a") == b"1"


def test_a_paused_store_hangs_and_comes_back(private_stores):
    p = private_stores
    client = redis.Redis(port=p.redis.port, socket_timeout=0.3)
    assert client.ping()
    p.redis.pause()
    with pytest.raises(redis.TimeoutError):
        client.ping()
    p.redis.resume()
    assert redis.Redis(port=p.redis.port, socket_timeout=5).ping()


def test_fresh_stores_are_empty_and_apart(fresh_stores, servers):
    other = servers.place()
    fresh_stores.psql("CREATE TABLE only_here (a int)")
    fresh_stores.redis_client().set("only", "here")
    fresh_stores.mongo_db().only_here.insert_one({})
    assert other.psql("SELECT count(*) FROM pg_tables WHERE tablename = 'only_here'") == "0"
    assert other.redis_client().keys() == []
    assert other.mongo_db().list_collection_names() == []
