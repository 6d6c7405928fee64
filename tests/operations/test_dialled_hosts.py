"""Hosts that the platform dials: nested engines with an SSH server, whose link the hub opens and keeps."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from dashboard.flows import environments, hosts, links
from dashboard.models import Environment, Host, HostState, LinkKind, Operation
from tests import factories
from tests.support.lab import Lab, docker, succeeded, transcript, until

pytestmark = [pytest.mark.engine, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def user() -> User:
    return factories.user()


def add_dialled(environment: Environment, user: User, quantity: int) -> Operation:
    """As the form does for a cloud; nested hosts are not offered it."""
    adding = hosts.add_hosts(environment, user, driver="local", prefix="fw", quantity=quantity)
    Host.objects.filter(pk__in=adding.args["hosts"]).update(link=LinkKind.DIRECT)
    links.make_key(environment)
    return adding


def inside(host: Host, command: str) -> str:
    return docker("exec", host.provider_id, "sh", "-c", command)


def test_dialled_hosts_form_a_swarm_and_are_dialled_again_after_a_cut(lab: Lab, user: User) -> None:
    environment = environments.create_environment(user, name="lab", managers=1)
    adding = add_dialled(environment, user, 2)
    lab.start_platform()

    succeeded(adding)
    first, second = environment.hosts.order_by("name")
    assert {first.state, second.state} == {HostState.ACTIVE}
    assert first.facts["architecture"] and first.facts["mtu"] > 0
    assert first.host_key.split()[1] in inside(first, "cat /etc/ssh/ssh_host_ed25519_key.pub")
    assert "its console shows the key" in transcript(adding)

    inside(second, "pkill -9 sshd")
    until(lambda: Host.objects.get(pk=second.pk).link_changed_at != second.link_changed_at, what="the cut is noticed")
    until(lambda: Host.objects.get(pk=second.pk).state == HostState.ACTIVE, what="it is dialled again")
