"""Planning from a wish: which manager is asked, what is made first, what is hidden, and what can go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from dashboard.flows import plans, stacks
from dashboard.flows.plans import plan_now, plan_stack
from dashboard.flows.stacks import Wish
from dashboard.models import Environment, HostRole, Revision, Stack
from platform_manager.errors import ProviderError, UserError
from platform_manager.swarm.snapshot import Network, Volume
from tests import factories
from tests.engines.fake_engine import Request, http
from tests.operations.fake_swarm import Swarm, swarm_of

pytestmark = pytest.mark.django_db
COMPOSE = """
version: "3.8"
services:
  web:
    image: registry.example.org/web:1
    environment: {DB_PASSWORD: "${DB_PASSWORD:-}", URL: "db://app:${DB_PASSWORD:-}@db"}
    networks: [front]
networks: {front: {external: true}}
"""
WISH = Wish("demo", COMPOSE, {"DB_PASSWORD": "correct horse"}, networks=frozenset({"front"}))
FRONT = Network("n1", "front", "overlay", True, False, False, 1450, [], "")


@pytest.fixture
def swarm(shop: Environment, settings: Any) -> Iterator[Swarm]:
    """Two managers; only the second one answers."""
    factories.host(shop, "m1", role=HostRole.MANAGER)
    factories.host(shop, "m2", role=HostRole.MANAGER)
    with swarm_of(shop, "m2", settings) as running:
        running.answers |= {f"/{kind}": http([]) for kind in ("services", "networks", "secrets", "configs")}
        yield running


def test_a_manager_that_answers_is_asked_and_nothing_is_ordered(shop: Environment, swarm: Swarm) -> None:
    plan = plan_stack(shop, WISH, updating=False)
    assert [(item.action, item.kind, item.name) for item in plan.items] == [
        ("create", "network", "front"),
        ("create", "service", "demo_web"),
    ]
    assert {request.method for request in swarm.requests} <= {"GET", "HEAD"}
    assert Stack.objects.count() == Revision.objects.count() == 0


def test_what_is_there_by_now_is_not_made_first(shop: Environment, swarm: Swarm) -> None:
    factories.snapshot(shop, networks=[FRONT], volumes=[Volume("pool", "local", "node-m1", "")])
    swarm.answers["/networks/front"] = http({"Name": "front", "Id": "n1", "Scope": "swarm", "Driver": "overlay"})
    shop.snapshot.refresh_from_db()
    wish = Wish("demo", COMPOSE, networks=frozenset({"front"}), volumes=frozenset({"pool", "lake"}))
    plan = plan_stack(shop, wish, updating=False)
    assert [item.name for item in plan.items if "makes it before" in item.note] == ["lake"]


def test_secrets_and_configs_with_content_are_made_first(shop: Environment, swarm: Swarm) -> None:
    compose = COMPOSE.replace("[front]", "[front]\n    secrets: [key]\n    configs: [conf]")
    compose += "secrets: {key: {external: true}}\nconfigs: {conf: {external: true}}\n"
    wish = Wish("demo", compose, networks=frozenset({"front"}), secrets={"key": b"hunter2"}, configs={"conf": b"a=b"})
    plan = plan_stack(shop, wish, updating=False)
    assert {(item.kind, item.action) for item in plan.items if item.name in ("key", "conf")} == {
        ("secret", "create"),
        ("config", "create"),
    }
    assert "hunter2" not in plan.text


def test_answers_of_this_and_of_earlier_deployments_are_hidden(shop: Environment, swarm: Swarm) -> None:
    factories.snapshot(shop, networks=[FRONT])
    swarm.answers["/networks/front"] = http({"Name": "front", "Id": "n1", "Scope": "swarm", "Driver": "overlay"})
    factories.stack(shop, "demo", compose=COMPOSE, answers={"DB_PASSWORD": "old password"})
    environment = ["DB_PASSWORD=old password", "URL=db://app:old password@db"]
    spec = {"Name": "demo_web", "TaskTemplate": {"ContainerSpec": {"Env": environment}}}
    swarm.answers["/services"] = http([{"ID": "a1", "Version": {"Index": 1}, "Spec": spec}])
    plan = plan_stack(shop, WISH, updating=True)
    changes = {one.field: (one.before, one.after) for item in plan.items for one in item.changes}
    assert changes["environment.DB_PASSWORD"] == ("***", "*** (changed)")
    assert changes["environment.URL"] == ("db://app:***@db", "db://app:***@db (changed)")
    assert "password" not in plan.text.replace("DB_PASSWORD", "")
    assert "correct horse" not in plan.text


def test_what_docker_would_refuse_is_told_in_its_words(shop: Environment, swarm: Swarm) -> None:
    with pytest.raises(UserError, match='Docker would refuse the stack: network "front" is declared as external'):
        plan_stack(shop, Wish("demo", COMPOSE), updating=False)
    assert plan_now(shop, Wish("demo", COMPOSE), updating=False)[0] is None


def test_without_a_manager_there_is_no_plan_and_a_sentence(shop: Environment) -> None:
    plan, problem = plan_now(shop, WISH, updating=False)
    assert plan is None
    assert problem.startswith("The plan can't be made now: No manager of this environment answers.")


def test_a_manager_that_falls_silent_takes_no_longer_than_the_deadline(
    shop: Environment, swarm: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "SECONDS", 1.0)

    async def silent(writer: asyncio.StreamWriter, _: Request) -> None:
        await writer.wait_closed()

    swarm.answers["/services"] = silent
    with pytest.raises(ProviderError, match="No answer within"):
        plan_stack(shop, WISH, updating=False)


def test_a_deployment_keeps_the_plan_that_was_shown_for_it(shop: Environment, swarm: Swarm) -> None:
    shown = plan_stack(shop, WISH, updating=False).text
    stacks.deploy_stack(shop, shop.owner, WISH)
    kept = Revision.objects.get().plan
    assert kept == shown
    assert "+ service demo_web" in kept
    assert "correct horse" not in kept


def test_the_plan_of_another_wish_is_not_kept(shop: Environment, swarm: Swarm) -> None:
    plan_stack(shop, replace(WISH, answers={"DB_PASSWORD": "another horse"}), updating=False)
    stacks.deploy_stack(shop, shop.owner, WISH)
    assert Revision.objects.get().plan == ""
