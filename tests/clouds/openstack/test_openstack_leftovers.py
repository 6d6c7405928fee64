"""What is in a project, whose it is, and how it is removed."""

from __future__ import annotations

import asyncio

import pytest
from fake_openstack import FakeOpenStack, until
from openstack_samples import Answer

from platform_manager.clouds.openstack import project
from platform_manager.clouds.openstack.connection import Cloud
from platform_manager.clouds.openstack.leftovers import Kind, everything, find, leftovers, remove
from platform_manager.clouds.openstack.marks import Mark
from platform_manager.errors import PlatformError

KEY_PAIR = "platform-manager_abc123_env-1"


def fill(fake: FakeOpenStack) -> None:
    """Something of each kind for a host or environment of ours, for another installation's, for nobody's."""
    for installation in ("abc123", "def456"):
        host, environment = Mark(installation, "env-1", "host-1", "op-1"), Mark(installation, "env-1")
        fake.resources.add_server(f"ours-{installation}", metadata=host.metadata())
        fake.resources.add_volume(f"ours-{installation}", metadata=host.metadata())
        fake.resources.add_ip(host.description())
        fake.resources.add_group(f"ours-{installation}", environment.description())
        fake.resources.keys[environment.name()] = {"name": environment.name()}
    fake.resources.add_server("theirs")
    fake.resources.add_volume("theirs")
    fake.resources.add_ip("for my blog")
    fake.resources.add_group("theirs", "platform-manager is not mine")
    fake.resources.add_group("default", "Default security group")
    fake.resources.keys["platform-manager"] = {"name": "platform-manager"}


async def test_everything_says_whose_it_is(fake: FakeOpenStack, cloud: Cloud) -> None:
    fake.services += ("volumev3",)
    fill(fake)

    found = await everything(cloud)

    order = ["server", "floating IP", "volume", "security group", "key pair"]
    assert [thing.kind for thing in found] == [kind for kind in order for _ in range(3)]
    ours = [thing for thing in found if thing.made_by("abc123")]
    assert [thing.kind for thing in ours] == order
    assert {(thing.mark.environment, thing.mark.host) for thing in ours if thing.mark} == {
        ("env-1", "host-1"),
        ("env-1", ""),
    }
    assert [thing.name for thing in found if thing.mark is None] == [
        "theirs",
        "10.89.1.102",
        "theirs",
        "theirs",
        "platform-manager",
    ]


async def test_people_are_told_what_a_thing_is_and_what_uses_it(fake: FakeOpenStack, cloud: Cloud) -> None:
    fake.services += ("volumev3",)
    group = fake.resources.add_group("web")
    addresses = {"net": [{"version": 4, "addr": "10.89.4.33"}]}
    server = fake.resources.add_server("web-1", groups=[group["id"]], addresses=addresses)
    port = next(iter(fake.resources.ports.values()))
    fake.resources.add_ip(port_id=port["id"])
    fake.resources.add_ip()
    attached = [{"server_id": server["id"], "device": "/dev/vdb"}]
    fake.resources.add_volume("data", status="in-use", size=20, attachments=attached)

    told = {(thing.name, thing.about, thing.used_by) for thing in await everything(cloud)}

    assert told == {
        ("web-1", "active, 10.89.4.33", ()),
        ("10.89.1.100", "", ("web-1",)),
        ("10.89.1.101", "", ()),
        ("data", "20 GiB", ("web-1",)),
        ("web", "1 rule", ("web-1",)),
    }


async def test_a_port_counts_once_its_server_is_gone_and_a_platform_made_it(fake: FakeOpenStack, cloud: Cloud) -> None:
    mark = Mark("abc123", "env-1", "host-1", "op-1")
    left = fake.resources.add_port(mark.description())
    fake.resources.add_port(mark.description(), device_id="a-server")
    fake.resources.add_port("theirs")

    assert [thing.id for thing in await leftovers(cloud, "abc123", set(), {"env-1"})] == [left["id"]]


async def test_a_port_that_a_server_uses_stays(fake: FakeOpenStack, cloud: Cloud) -> None:
    used, unused = fake.resources.add_port(device_id="a-server"), fake.resources.add_port()

    with pytest.raises(PlatformError, match="A server uses the port"):
        await remove(cloud, Kind.PORT, used["id"])
    for _ in range(2):
        await remove(cloud, Kind.PORT, unused["id"])

    assert list(fake.resources.ports) == [used["id"]]


async def test_no_list_is_read_without_end(fake: FakeOpenStack, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project, "MOST", 2)
    for n in range(4):
        fake.resources.add_group(f"{n} {'x' * 1_000}")

    found = await everything(cloud)

    assert len(found) == 2
    assert all(len(thing.name) == project.LONGEST for thing in found)


async def test_each_thing_is_found_as_it_is_now_until_it_is_gone(fake: FakeOpenStack, cloud: Cloud) -> None:
    fake.services += ("volumev3",)
    fill(fake)
    fake.resources.add_port(Mark("abc123", "env-1", "host-1").description())

    for thing in await everything(cloud):
        now = await find(cloud, thing.kind, thing.id)
        assert now is not None
        assert (now.name, now.mark, now.about) == (thing.name, thing.mark, thing.about)
        await remove(cloud, thing.kind, thing.id)
        assert await find(cloud, thing.kind, thing.id) is None


async def test_a_cloud_without_volumes(fake: FakeOpenStack, cloud: Cloud) -> None:
    fill(fake)

    assert Kind.VOLUME not in {thing.kind for thing in await everything(cloud)}


async def test_what_is_no_longer_known_is_left_over(fake: FakeOpenStack, cloud: Cloud) -> None:
    fake.services += ("volumev3",)
    fill(fake)

    assert await leftovers(cloud, "abc123", {"host-1"}, {"env-1"}) == []
    of_host = await leftovers(cloud, "abc123", set(), {"env-1"})
    of_environment = await leftovers(cloud, "abc123", {"host-1"}, set())
    assert [thing.kind for thing in of_host] == [Kind.SERVER, Kind.FLOATING_IP, Kind.VOLUME]
    assert [thing.kind for thing in of_environment] == [Kind.SECURITY_GROUP, Kind.KEY_PAIR]
    assert await leftovers(cloud, "none", set(), set()) == []


async def test_removing_leftovers_leaves_the_rest(fake: FakeOpenStack, cloud: Cloud) -> None:
    fake.services += ("volumev3",)
    fill(fake)
    before = await everything(cloud)

    for thing in await leftovers(cloud, "abc123", set(), set()):
        for _ in range(2):
            await remove(cloud, thing.kind, thing.id)

    assert await everything(cloud) == [thing for thing in before if not thing.made_by("abc123")]


async def test_a_group_in_use_is_waited_for(fake: FakeOpenStack, cloud: Cloud) -> None:
    group = fake.resources.add_group("web")
    server = fake.resources.add_server(groups=[group["id"]])
    removal = asyncio.create_task(remove(cloud, Kind.SECURITY_GROUP, group["id"]))
    await until(lambda: fake.count("DELETE /network/v2.0/security-groups") >= 2)

    await remove(cloud, Kind.SERVER, server["id"])
    await removal

    assert not fake.resources.groups


async def test_a_volume_that_is_going_already_is_waited_for(fake: FakeOpenStack, cloud: Cloud) -> None:
    fake.services += ("volumev3",)
    volume = fake.resources.add_volume("data", status="deleting")

    await remove(cloud, Kind.VOLUME, volume["id"])

    assert not fake.resources.volumes
    assert fake.count("DELETE /volume") == 0


async def test_a_volume_in_use_is_told(fake: FakeOpenStack, cloud: Cloud) -> None:
    fake.services += ("volumev3",)
    volume = fake.resources.add_volume("data", status="in-use")

    with pytest.raises(PlatformError, match="volume is still in use"):
        await remove(cloud, Kind.VOLUME, volume["id"])


async def test_a_list_that_fails_is_no_empty_list(fake: FakeOpenStack, cloud: Cloud) -> None:
    fill(fake)
    fake.trouble("GET /network/v2.0/floatingips", Answer(500, ""))

    with pytest.raises(PlatformError, match="service fails"):
        await everything(cloud)


@pytest.mark.parametrize(
    "mark", [Mark("abc123", "env-1", "host-1", "op-1"), Mark("abc123", "env-1"), Mark("abc123", host="host-1")]
)
def test_a_mark_is_read_as_it_was_written(mark: Mark) -> None:
    assert Mark.of_metadata(mark.metadata()) == mark
    assert Mark.of_description(mark.description()) == mark


@pytest.mark.parametrize("text", [None, "", "platform-manager", "platform-manager environment=env-1", "installation=a"])
def test_what_only_looks_like_a_mark_is_none(text: str | None) -> None:
    assert Mark.of_description(text) is None
    assert Mark.of_metadata({"platform-manager-environment": text or ""}) is None
    assert Mark.of_metadata(None) is None
    assert Mark.of_name(text or "") is None
