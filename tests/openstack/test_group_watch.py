"""Security groups that somebody changed in the cloud's own console are put right by the watch, and by it alone."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from fake_openstack import FakeOpenStack
from openstack_samples import Answer

from dashboard.models import AuditEntry, CloudAccount, Environment, Host, HostState, LinkKind, OpenPort, OperationState
from dashboard.operations.clouds.cloud_look import LEFTOVERS_SECONDS, Memory, look_at
from platform_manager.clouds.openstack.marks import Mark
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
Thing = dict[str, Any]
MEMBERS = {("tcp", 2377), ("tcp", 7946), ("udp", 7946), ("udp", 4789)}
RULES = "/network/v2.0/security-group-rules"


@pytest.fixture
def host(fake: FakeOpenStack, environment: Environment, account: CloudAccount) -> Host:
    return served(fake, environment, account)


@pytest.fixture
def group(fake: FakeOpenStack, account: CloudAccount, host: Host) -> Thing:
    """The group of the host's environment, right as it is."""
    made = grouped(fake, host.environment)
    look_at(account, Memory())
    return made


def served(fake: FakeOpenStack, environment: Environment, account: CloudAccount) -> Host:
    host = factories.host(environment, driver="openstack", account=account)
    mark = Mark(settings.PM_INSTALLATION, str(environment.pk), str(host.pk))
    host.provider_id = fake.resources.add_server(host.name, metadata=mark.metadata())["id"]
    host.save()
    return host


def grouped(fake: FakeOpenStack, environment: Environment) -> Thing:
    mark = Mark(settings.PM_INSTALLATION, str(environment.pk))
    return fake.resources.add_group(f"platform-manager-{environment.pk}", mark.description())


def let_in(group: Thing) -> set[tuple[str, int]]:
    return {(one["protocol"], one["port_range_min"]) for one in group["security_group_rules"] if _ingress(one)}


def _ingress(rule: Thing) -> bool:
    return rule["direction"] == "ingress"


def lose(group: Thing, *ports: int) -> None:
    """Somebody deletes rules in the cloud's own console."""
    rules = group["security_group_rules"]
    group["security_group_rules"] = [one for one in rules if one["port_range_min"] not in ports]


def mended() -> list[Thing]:
    found = AuditEntry.objects.filter(action="security_group.mend").order_by("id")
    return [{"added": entry.detail["added"], "removed": entry.detail["removed"]} for entry in found]


def test_a_rule_deleted_in_the_console_is_back_after_a_look(account: CloudAccount, group: Thing) -> None:
    lose(group, 7946)
    assert let_in(group) == {("tcp", 2377), ("udp", 4789)}

    look_at(account, Memory())

    assert let_in(group) == MEMBERS
    said = ["7946/tcp from the environment's hosts", "7946/udp from the environment's hosts"]
    assert mended()[-1] == {"added": said, "removed": []}
    entry = AuditEntry.objects.filter(action="security_group.mend").order_by("-id")[0]
    assert (entry.object_name, entry.environment) == ("Lab", "Shop")


def test_what_is_right_is_neither_touched_nor_told(fake: FakeOpenStack, account: CloudAccount, group: Thing) -> None:
    told, changes = mended(), fake.count(f"(POST|DELETE) {RULES}")
    look_at(account, Memory())
    assert mended() == told
    assert fake.count(f"(POST|DELETE) {RULES}") == changes


def test_a_rule_of_somebody_else_stays(fake: FakeOpenStack, account: CloudAccount, group: Thing) -> None:
    fake.resources.add_rule(group, 9000)
    look_at(account, Memory())
    assert let_in(group) == MEMBERS | {("tcp", 9000)}


def test_a_rule_of_ours_that_nobody_wishes_goes(fake: FakeOpenStack, account: CloudAccount, group: Thing) -> None:
    fake.resources.add_rule(group, 8080, description=group["description"])
    look_at(account, Memory())
    assert let_in(group) == MEMBERS
    assert mended()[-1] == {"added": [], "removed": ["8080/tcp from everybody"]}


def test_open_ports_and_the_platforms_way_in_come_back(
    account: CloudAccount, group: Thing, host: Host, settings: Any
) -> None:
    settings.PM_DIRECT_FROM = "192.0.2.1/32"
    Host.objects.update(link=LinkKind.DIRECT)
    OpenPort.objects.create(environment=host.environment, port=8080)
    look_at(account, Memory())
    assert let_in(group) == MEMBERS | {("tcp", 22), ("tcp", 8080)}
    assert mended()[-1]["added"] == ["22/tcp from 192.0.2.1/32", "8080/tcp from everybody"]


def test_a_group_that_is_gone_is_not_made(fake: FakeOpenStack, account: CloudAccount, host: Host) -> None:
    look_at(account, Memory())
    assert fake.resources.groups == {}
    assert mended() == []


def test_an_environment_with_an_operation_is_left_alone_until_it_has_ended(account: CloudAccount, group: Thing) -> None:
    lose(group, 7946)
    operation = factories.operation(Environment.objects.get(), kind="open_ports", state=OperationState.QUEUED)
    memory = Memory()
    look_at(account, memory)
    assert let_in(group) == {("tcp", 2377), ("udp", 4789)}

    operation.state = OperationState.CANCELLED
    operation.save()
    look_at(account, memory)
    assert let_in(group) == MEMBERS


def test_hosts_that_are_being_made_bring_their_groups_themselves(account: CloudAccount, group: Thing) -> None:
    Host.objects.update(state=HostState.BUILDING)
    lose(group, 7946)
    look_at(account, Memory())
    assert let_in(group) == {("tcp", 2377), ("udp", 4789)}


def test_groups_are_looked_at_seldom(fake: FakeOpenStack, account: CloudAccount, group: Thing) -> None:
    memory = Memory()
    look_at(account, memory)
    asked = fake.count("GET /network/v2.0/security-groups")
    look_at(account, memory)
    assert fake.count("GET /network/v2.0/security-groups") == asked
    memory.listed_at -= LEFTOVERS_SECONDS
    lose(group, 7946)
    look_at(account, memory)
    assert let_in(group) == MEMBERS


def test_one_environment_that_fails_does_not_stop_the_others(
    fake: FakeOpenStack, account: CloudAccount, group: Thing, ann: User
) -> None:
    other = factories.environment(ann, "Another")
    served(fake, other, account)
    second = grouped(fake, other)
    lose(group, 7946)
    fake.trouble(f"POST {RULES}", Answer(403, ""), times=1)

    look_at(account, Memory())

    assert sorted(len(let_in(one)) for one in (group, second)) in ([0, 4], [2, 4])
    look_at(account, Memory())
    assert let_in(group) == let_in(second) == MEMBERS


def test_ssh_is_closed_once_no_host_is_dialled_or_on_its_way(
    account: CloudAccount, environment: Environment, group: Thing, settings: Any
) -> None:
    settings.PM_DIRECT_FROM = "192.0.2.0/24"
    dialled = factories.host(environment, driver="openstack", account=account, link=LinkKind.DIRECT)
    Host.objects.filter(pk=dialled.pk).update(state=HostState.REQUESTED, provider_id="")
    look_at(account, Memory())
    assert let_in(group) == {*MEMBERS, ("tcp", 22)}

    dialled.delete()
    look_at(account, Memory())
    assert let_in(group) == MEMBERS
    assert mended()[-1] == {"added": [], "removed": ["22/tcp from 192.0.2.0/24"]}
