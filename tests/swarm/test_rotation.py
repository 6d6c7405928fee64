"""Changed contents of secrets and configs, and what is made before a stack, on an engine faked at its socket."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import AsyncIterator

import pytest

from platform_manager.engines.client import EngineClient
from platform_manager.errors import UserError
from platform_manager.swarm import held, provisions, rotation
from platform_manager.swarm.rotation import Declared
from tests.swarm.keeping_swarm import KeepingSwarm, client_of

KEY = b"key of the platform"
KINDS: tuple[provisions.Kind, ...] = ("secrets", "configs")
each_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def swarm() -> KeepingSwarm:
    return KeepingSwarm()


@pytest.fixture
async def client(swarm: KeepingSwarm) -> AsyncIterator[EngineClient]:
    async with client_of(swarm) as client:
        yield client


def coded(text: str) -> str:
    return b64encode(text.encode()).decode()


def one(kind: provisions.Kind, content: str, name: str = "shop_key") -> Declared:
    return Declared(kind, "key", name, content.encode())


async def named(client: EngineClient, wanted: Declared) -> str:
    """The name it is deployed under."""
    found = await rotation.renames(client, [wanted], "shop", KEY)
    return found.get((wanted.kind, wanted.key), wanted.name)


@each_kind
async def test_the_first_content_has_the_plain_name(client: EngineClient, kind: provisions.Kind) -> None:
    assert await named(client, one(kind, "a")) == "shop_key"


@each_kind
async def test_the_same_content_keeps_its_name_and_its_labels(
    client: EngineClient, swarm: KeepingSwarm, kind: provisions.Kind
) -> None:
    kept = swarm.add(kind, "shop_key", coded("a"))
    labels = dict(kept["Spec"]["Labels"])

    assert await named(client, one(kind, "a")) == "shop_key"
    assert kept["Spec"]["Labels"] == labels


@each_kind
async def test_other_content_gets_a_name_of_its_own_and_keeps_it(
    client: EngineClient, swarm: KeepingSwarm, kind: provisions.Kind
) -> None:
    swarm.add(kind, "shop_key", coded("a"))

    name = await named(client, one(kind, "b"))

    assert name.startswith("shop_key-")
    assert len(name) == len("shop_key-") + 8
    assert await named(client, one(kind, "b")) == name
    swarm.add(kind, name, coded("b"))
    assert await named(client, one(kind, "b")) == name
    assert await named(client, one(kind, "a")) == "shop_key"


@each_kind
async def test_content_that_has_a_name_keeps_it_when_the_plain_one_is_gone(
    client: EngineClient, swarm: KeepingSwarm, kind: provisions.Kind
) -> None:
    swarm.add(kind, "shop_key-0123abcd", coded("b"))

    assert await named(client, one(kind, "b")) == "shop_key-0123abcd"
    assert await named(client, one(kind, "c")) == "shop_key"


@each_kind
async def test_what_belongs_to_another_stack_is_left_alone(
    client: EngineClient, swarm: KeepingSwarm, kind: provisions.Kind
) -> None:
    swarm.add(kind, "shop_key", coded("a"), stack="blog")

    for content in ("a", "b"):
        with pytest.raises(UserError, match="'shop_key' already, and it is the stack blog's"):
            await named(client, one(kind, content))
    assert swarm.asked == []


def test_the_name_of_a_secret_does_not_tell_what_it_may_be() -> None:
    secret, config = one("secrets", "hunter2"), one("configs", "hunter2")
    assert rotation.rotated(config, b"one") == rotation.rotated(config, b"other")
    assert rotation.rotated(secret, b"one") != rotation.rotated(secret, b"other")
    assert rotation.rotated(secret, b"one") != rotation.rotated(config, b"one")


def test_a_long_name_is_cut_to_what_a_swarm_allows() -> None:
    assert len(rotation.rotated(one("configs", "a", "x" * 64), KEY)) == 64


@each_kind
async def test_only_earlier_contents_that_nothing_uses_are_removed(
    client: EngineClient, swarm: KeepingSwarm, kind: provisions.Kind
) -> None:
    swarm.add(kind, "shop_key", coded("a"))
    used = swarm.add(kind, "shop_key-00000001", coded("b"))
    now = swarm.add(kind, "shop_key-00000002", coded("c"))
    swarm.add(kind, "shop_key-00000003", coded("d"), stack="blog")
    swarm.add(kind, "shop_key-extra", coded("e"))
    word, field = kind.capitalize(), f"{kind[:-1].capitalize()}ID"
    template = {"ContainerSpec": {word: [{field: used["ID"]}, {field: now["ID"]}]}}
    swarm.add("services", "blog_web", stack="blog", TaskTemplate=template)

    gone = await rotation.remove_unused(client, [one(kind, "c")], "shop", ["shop_key-00000002"])

    assert gone == [f"{kind[:-1]} shop_key"]
    left = {"shop_key-00000001", "shop_key-00000002", "shop_key-00000003", "shop_key-extra"}
    assert swarm.names(kind) == left


def test_only_what_has_a_file_is_declared() -> None:
    compose = {
        "configs": {"a": {"file": "./conf/a.txt"}, "b": {"external": True}, "c": {"file": "missing"}, "d": None},
        "secrets": {"key": {"file": "key.txt", "name": "my-key"}},
    }
    found = rotation.declared(compose, {"conf/a.txt": b"a", "key.txt": b"k"}, "shop")
    assert found == [Declared("secrets", "key", "my-key", b"k"), Declared("configs", "a", "shop_a", b"a")]


@each_kind
async def test_missing_contents_are_made_and_others_left(
    client: EngineClient, swarm: KeepingSwarm, kind: provisions.Kind
) -> None:
    swarm.add(kind, "there", coded("old"), stack="")

    given = {"there": b"new", "missing": "ü".encode(), "binary": b"\x00\xff\r\n"}

    assert await provisions.ensure_objects(client, kind, given) == ["missing", "binary"]

    assert swarm.asked == [f"create {kind} missing", f"create {kind} binary"]
    held_now = {one["Spec"]["Name"]: one["Spec"] for one in swarm.kinds[kind].values()}
    assert (held_now["there"]["Data"], held_now["missing"]["Data"]) == (coded("old"), coded("ü"))
    assert b64decode(held_now["binary"]["Data"]) == b"\x00\xff\r\n"
    assert held_now["missing"]["Labels"] == {provisions.MADE_LABEL: "yes"}


async def test_missing_volumes_are_made_once(client: EngineClient, swarm: KeepingSwarm) -> None:
    assert await provisions.ensure_volumes(client, ["data"]) == ["data"]
    assert await provisions.ensure_volumes(client, ["data"]) == []


async def test_what_a_stopped_deployment_left_is_told_with_what_happened_to_it(
    client: EngineClient, swarm: KeepingSwarm
) -> None:
    swarm.add("networks", "shop_default")
    web = swarm.add("services", "shop_web", TaskTemplate={})
    swarm.add("services", "shop_db", TaskTemplate={})
    swarm.add("services", "blog_web", stack="blog")
    before = await held.held(client, "shop")
    assert held.made(before, before) == []

    web["Version"]["Index"] = 2
    swarm.add("configs", "shop_settings")
    now = await held.held(client, "shop")

    told = [
        "network shop_default (unchanged)",
        "config shop_settings (created)",
        "service shop_web (changed)",
        "service shop_db (unchanged)",
    ]
    assert held.made(before, now) == told
    # A second try that gets no further does not hide what the first one did.
    assert held.made(now, now, told) == told
