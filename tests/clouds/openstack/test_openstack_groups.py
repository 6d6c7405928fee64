"""The environment's security group: exactly what is wished, and nothing of others touched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fake_openstack import FakeOpenStack
from openstack_resources import Thing
from openstack_samples import Answer

from platform_manager.clouds.base import MachineSpec
from platform_manager.clouds.openstack.driver import OpenStackDriver
from platform_manager.clouds.openstack.groups import Rule
from platform_manager.clouds.openstack.marks import Mark
from platform_manager.errors import UserError

Order = Callable[..., MachineSpec]
EVERYBODY = "0.0.0.0/0"
WEB = ["tcp", 8080, EVERYBODY]
DNS = ["udp", 53, "192.0.2.0/24"]
RULES = "/network/v2.0/security-group-rules"


def let_in(fake: FakeOpenStack) -> set[tuple[str, int, str]]:
    """What the one group lets in from outside it."""
    [group] = fake.resources.groups.values()
    rules = group["security_group_rules"]
    return {(one["protocol"], one["port_range_min"], one["remote_ip_prefix"]) for one in rules if _outside(one)}


def _outside(rule: Thing) -> bool:
    return rule["direction"] == "ingress" and not rule["remote_group_id"]


async def test_hosts_come_with_the_ports_that_are_open(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order
) -> None:
    await openstack.create(order("host-1", open_ports=[WEB, DNS]))

    assert let_in(fake) == {("tcp", 8080, EVERYBODY), ("udp", 53, "192.0.2.0/24")}


async def test_rules_say_whose_they_are(fake: FakeOpenStack, openstack: OpenStackDriver, order: Order) -> None:
    await openstack.create(order("host-1", open_ports=[WEB], ssh_from="192.0.2.1/32"))

    [group] = fake.resources.groups.values()
    made = [one for one in group["security_group_rules"] if one["direction"] == "ingress"]
    assert len(made) == 6
    assert {Mark.of_description(one["description"]) for one in made} == {Mark("abc123", "env-1", operation="op-1")}


async def test_ports_are_opened_and_closed_later(fake: FakeOpenStack, openstack: OpenStackDriver, order: Order) -> None:
    await openstack.create(order("host-1", open_ports=[]))

    opened = await openstack.open_ports("env-1", "op-2", [WEB, DNS])
    assert let_in(fake) == {("tcp", 8080, EVERYBODY), ("udp", 53, "192.0.2.0/24")}
    assert opened is not None
    assert set(opened.published) == {Rule("tcp", 8080, 8080, EVERYBODY), Rule("udp", 53, 53, "192.0.2.0/24")}

    closed = await openstack.open_ports("env-1", "op-3", [DNS])
    assert let_in(fake) == {("udp", 53, "192.0.2.0/24")}
    assert closed is not None
    assert closed.published == [Rule("udp", 53, 53, "192.0.2.0/24")]


async def test_what_is_right_is_not_touched(fake: FakeOpenStack, openstack: OpenStackDriver, order: Order) -> None:
    await openstack.create(order("host-1", open_ports=[WEB]))
    asked = len(fake.asked)

    await openstack.open_ports("env-1", "op-2", [WEB])

    assert [line.split("?")[0] for line in fake.asked[asked:]] == ["GET /network/v2.0/security-groups"]


async def test_members_and_the_platform_stay_let_in(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order
) -> None:
    await openstack.create(order("host-1", ssh_from="192.0.2.1/32", open_ports=[WEB]))
    [group] = fake.resources.groups.values()
    group["security_group_rules"].pop(1)

    await openstack.open_ports("env-1", "op-2", [])

    rules = group["security_group_rules"]
    assert sum(one["remote_group_id"] == group["id"] for one in rules) == 4
    assert let_in(fake) == {("tcp", 22, "192.0.2.1/32")}


async def test_a_host_of_which_nothing_is_said_closes_nothing(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order
) -> None:
    await openstack.create(order("host-1", ssh_from="192.0.2.1/32", open_ports=[WEB]))
    await openstack.create(order("host-2"))

    assert let_in(fake) == {("tcp", 22, "192.0.2.1/32"), ("tcp", 8080, EVERYBODY)}


async def test_ssh_follows_the_platform_to_another_address(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order
) -> None:
    await openstack.create(order("host-1", ssh_from="192.0.2.1/32"))
    await openstack.create(order("host-2", ssh_from="192.0.2.2/32"))

    assert let_in(fake) == {("tcp", 22, "192.0.2.2/32")}


async def test_ssh_is_closed_where_nobody_is_dialled_any_more(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order
) -> None:
    await openstack.create(order("host-1", ssh_from="192.0.2.1/32"))
    await openstack.open_ports("env-1", "op-2", [], ssh_from="")
    assert let_in(fake) == set()

    await openstack.create(order("host-2", ssh_from="192.0.2.1/32"))
    await openstack.create(order("host-3", ssh_from=""))
    assert let_in(fake) == set()


async def test_rules_made_by_hand_stay_and_are_told(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order
) -> None:
    await openstack.create(order("host-1", open_ports=[]))
    [group] = fake.resources.groups.values()
    fake.resources.add_rule(group, 9000)
    fake.resources.add_rule(group, 9001, "::/0", ethertype="IPv6")
    fake.resources.add_rule(group, 9002, description=Mark("other", "env-1").description())

    left = await openstack.open_ports("env-1", "op-2", [])

    assert let_in(fake) == {("tcp", 9000, EVERYBODY), ("tcp", 9001, "::/0"), ("tcp", 9002, EVERYBODY)}
    assert left is not None
    assert left.others == (Rule("tcp", 9000, 9000, EVERYBODY), None, Rule("tcp", 9002, 9002, EVERYBODY))


@pytest.mark.parametrize("source", [EVERYBODY, None])
async def test_what_was_let_in_by_hand_is_not_let_in_twice(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order, source: str | None
) -> None:
    await openstack.create(order("host-1", open_ports=[]))
    [group] = fake.resources.groups.values()
    fake.resources.add_rule(group, 8080, source)
    asked = fake.count(f"POST {RULES}")

    opened = await openstack.open_ports("env-1", "op-2", [WEB])

    assert fake.count(f"POST {RULES}") == asked
    assert opened is not None
    assert opened.published == []


async def test_an_environment_without_a_group_gets_none_for_its_ports(
    fake: FakeOpenStack, openstack: OpenStackDriver
) -> None:
    fake.resources.add_group("platform-manager-env-1")

    assert await openstack.open_ports("env-1", "op-2", [WEB]) is None
    assert let_in(fake) == set()


async def test_a_quota_of_rules_that_is_used_up_is_a_sentence(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order
) -> None:
    await openstack.create(order("host-1"))
    refused: Any = '{"NeutronError": {"type": "OverQuota", "message": "%s", "detail": ""}}'
    message = "Quota exceeded for resources: ['security_group_rule']."
    fake.trouble(f"POST {RULES}", Answer(409, refused % message))

    with pytest.raises(UserError, match="quota allows no more of: security_group_rule"):
        await openstack.open_ports("env-1", "op-2", [WEB])
