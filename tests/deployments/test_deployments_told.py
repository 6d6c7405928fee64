"""Deployments tell the truth, on real engines: one platform with two environments for all of it.

What fails by design takes its time, and does so in an environment of its own while the other tests go on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction

from dashboard.flows import adoption, operations, revisions, shared_objects, stacks
from dashboard.flows.plans import plan_stack
from dashboard.models import Origin, Revision, StackState
from dashboard.operations.context import StepContext
from dashboard.operations.deploying.hand_over import hand_over
from platform_manager import wiring
from platform_manager.errors import ProviderError, UserError
from tests import factories
from tests.deployments.told_stacks import (
    ABSENT,
    ELSEWHERE,
    FLAKY,
    HALF,
    HEALTHY,
    KEYSTORE,
    LAME,
    NETWORKED,
    NOWHERE,
    PAIR,
    RESERVING,
    ROTATED,
    SHARED,
)
from tests.deployments.world import World, built, failed
from tests.support.lab import Lab, finished, running_lab, succeeded, transcript, until

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def db(kept_db: None) -> None:
    """One database for all tests."""


@pytest.fixture(scope="module")
def worlds(db: None) -> Iterator[tuple[World, World]]:
    """The one where deployments fail, and the other."""
    with running_lab(PM_CONVERGE_SECONDS="60") as lab:
        yield begun(lab)


def begun(lab: Lab) -> tuple[World, World]:
    failing, shop = built(lab, "failing", "shop")
    for name, compose in (("crash", FLAKY), ("absent", ABSENT), ("nowhere", NOWHERE), ("lame", LAME)):
        failing.deploy(name, compose)
    failing.deploy("sick", HEALTHY, answers={"TOLD": "well", "CODE": "0"})
    return failing, shop


@pytest.fixture
def failing(worlds: tuple[World, World]) -> World:
    return worlds[0]


@pytest.fixture
def shop(worlds: tuple[World, World]) -> World:
    return worlds[1]


@pytest.mark.django_db
def test_nobody_goes_back_to_a_revision_that_is_not_there() -> None:
    stack = factories.stack(factories.environment(), "shop")
    with pytest.raises(UserError, match="shop has no revision 7"):
        revisions.roll_back(stack.environment, stack.environment.owner, stack, 7)
    with pytest.raises(UserError, match="Revision 1 of shop is the newest"):
        revisions.roll_back(stack.environment, stack.environment.owner, stack, 1)


def test_what_a_stack_expects_is_made_before_it_is_handed_over(shop: World, settings: Any) -> None:
    wished: dict[str, Any] = {"networks": frozenset({"shared"}), "volumes": frozenset({"data"})}
    contents: dict[str, Any] = {"secrets": {"password": b"hunter2-hunter2"}, "configs": {"settings": KEYSTORE}}

    operation = succeeded(shop.deploy("shared", SHARED, **wished, **contents))

    network = json.loads(shop.docker("network", "inspect", "shared"))[0]
    assert (network["Driver"], network["Attachable"]) == ("overlay", True)
    assert network["Options"]["com.docker.network.driver.mtu"] == str(shop.environment.swarm_mtu or 1500)
    made = "label=platform-manager.made"
    for kind, name in (("secret", "password"), ("config", "settings"), ("volume", "data")):
        assert shop.docker(kind, "ls", "--format", "{{.Name}}", "--filter", made).split() == [name]
    assert shop.content("settings") == KEYSTORE
    assert "hunter2" not in transcript(operation)
    revision = shop.revision("shared")
    assert revision.digests == {"web": "127.0.0.1:1/ticker:1"}
    assert (revision.state, revision.finished_at is not None, revision.made) == (StackState.RUNNING, True, [])

    shared = [("secret", "password"), ("config", "settings"), ("network", "shared")]
    goes_on_request_once_nothing_uses_it(shop, shared, settings)


def goes_on_request_once_nothing_uses_it(shop: World, shared: list[tuple[str, str]], settings: Any) -> None:
    """It is there for every stack, so it does not go with the one it was made for."""
    settings.PM_SOCKETS = shop.lab.var / "links"
    try:
        for kind, name in shared:
            with pytest.raises(UserError, match=f"{name} is in use, so it stays"):
                shared_objects.remove_shared(shop.environment, shop.user, kind, name)
        succeeded(stacks.remove_stack(shop.environment, shop.user, "shared"))
        for kind, name in shared:
            shared_objects.remove_shared(shop.environment, shop.user, kind, name)
            assert name not in shop.docker(kind, "ls", "--format", "{{.Name}}").split()
    finally:
        wiring.run(wiring.core().pool.forget(shop.host.pk), 5)


def test_a_deployment_that_stops_half_way_lists_what_was_made_and_is_finished_later(shop: World, settings: Any) -> None:
    with transaction.atomic():
        # The preview does not see it yet, the worker does.
        stopped = shop.deploy("half", HALF)
        shop.docker("service", "create", "-d", "--name", "holder", "--publish", "18077:80", "127.0.0.1:1/ticker:1")

    failed(stopped)

    made = shop.revision("half").made
    assert "network half_default (created)" in made, transcript(stopped)
    assert not any("half_second" in line for line in made)
    assert "It stopped half way. The swarm holds of it now: network half_default (created)" in transcript(stopped)
    assert "port '18077' is already in use by service 'holder'" in stopped.error
    assert "+ network half_default (create)" in shop.revision("half").plan

    # A worker that died after the CLI left no list; who begins the step again still knows what was there before.
    Revision.objects.filter(pk=shop.revision("half").pk).update(made=[])
    settings.PM_SOCKETS = shop.lab.var / "links"
    try:
        with pytest.raises(ProviderError, match="port '18077' is already in use"):
            hand_over(StepContext(stopped, 1))
    finally:
        wiring.run(wiring.core().pool.forget(shop.host.pk), 5)
    assert "network half_default (created)" in shop.revision("half").made

    shop.docker("service", "rm", "holder")
    succeeded(operations.retry_operation(stopped, shop.user))
    assert (shop.stack("half").state, shop.revision("half").made) == (StackState.RUNNING, [])

    # What a removal leaves behind for some seconds is waited for.
    shop.remove_plainly("half")
    again = succeeded(shop.deploy("half", HALF, updating=True))
    assert sorted(shop.listed("service", "half")) == ["half_first", "half_second"], transcript(again)


def test_a_service_of_that_name_which_somebody_makes_meanwhile_ends_a_deployment_before_it_begins(shop: World) -> None:
    label = "com.docker.stack.namespace=met_by"
    with transaction.atomic():
        stopped = shop.deploy("met", "services: {by_chance: {image: '127.0.0.1:1/ticker:1'}}")
        shop.docker("service", "create", "-d", "--name", "met_by_chance", "--label", label, "127.0.0.1:1/ticker:1")

    failed(stopped)

    assert "a service 'met_by_chance' already, of the stack met_by. Nothing was made." in stopped.error
    assert shop.listed("network", "met") == []
    shop.docker("service", "rm", "met_by_chance")


def test_what_tasks_reserve_is_not_free_for_others_as_the_swarm_says_too(shop: World, tmp_path: Path) -> None:
    part = int(shop.docker("info", "--format", "{{.MemTotal}}")) * 5 // 8
    compose = RESERVING.replace("AMOUNT", f"'{part}'").replace("ORDER", "stop-first")
    first = compose.replace("stop-first", "start-first")
    succeeded(shop.deploy("large", compose))

    def told(name: str, text: str) -> str:
        shop.environment.refresh_from_db()
        found = stacks.preview_stack(shop.environment, stacks.Wish(name, text), updating=name == "large").problems
        return "; ".join(problem.message for problem in found if problem.severity == "warning")

    until(lambda: "(large_web holds" in told("second", compose), what="the preview sees what runs")
    assert "A task of 'web' reserves" in told("second", compose)
    assert told("large", compose) == ""
    assert "starts new tasks before it ends the old ones" in told("large", first)
    (tmp_path / "compose.yml").write_text(compose)
    shop.docker("stack", "deploy", "--detach=true", "-c", str(tmp_path / "compose.yml"), "second")
    until(lambda: waits(shop, "second_web"), what="the swarm says that it does not fit")
    shop.remove_plainly("second")
    shop.docker("service", "update", "-d", "--update-order=start-first", "--env-add", "A=1", "large_web")
    until(lambda: waits(shop, "large_web"), what="the swarm says that both do not fit")
    shop.docker("service", "update", "-d", "--update-order=stop-first", "--env-add", "A=2", "large_web")
    until(lambda: not waits(shop, "large_web"), what="the old task makes room")
    succeeded(stacks.remove_stack(shop.environment, shop.user, "large"))


def waits(world: World, service: str) -> bool:
    found = world.docker("service", "ps", "--no-trunc", "--format", "{{.DesiredState}} {{.Error}}", service)
    return any(line.startswith("Running") and "insufficient resources" in line for line in found.splitlines())


def test_a_network_of_the_manager_alone_is_seen_before_the_button(shop: World) -> None:
    shop.docker("network", "create", "mine")
    wish = stacks.Wish("joining", SHARED.replace("shared", "mine"), networks=frozenset({"mine"}))

    def told() -> str:
        shop.environment.refresh_from_db()
        return "; ".join(problem.message for problem in stacks.preview_stack(shop.environment, wish).problems)

    until(lambda: "'mine' is a manager's own (bridge)" in told(), what="the preview sees the network")
    shop.docker("network", "rm", "mine")
    until(lambda: "'mine'" not in told(), what="the preview sees that it has gone")


def test_a_service_that_somebody_removed_is_missed_until_the_stack_is_deployed_again(shop: World) -> None:
    succeeded(shop.deploy("lossy", PAIR))

    shop.docker("service", "rm", "lossy_second")

    until(lambda: shop.stack("lossy").state == StackState.DEGRADED, what="the service is missed", seconds=30)
    assert shop.stack("lossy").sentence.startswith("lossy_second was removed outside the platform")
    succeeded(revisions.redeploy(shop.environment, shop.user, shop.stack("lossy")))
    assert sorted(shop.listed("service", "lossy")) == ["lossy_first", "lossy_second"]
    succeeded(stacks.remove_stack(shop.environment, shop.user, "lossy"))


def test_what_keeps_ending_beside_what_runs_degrades_a_stack(failing: World) -> None:
    operation = failing.revision("lame").operation
    assert operation is not None
    finished(operation)

    stack = failing.stack("lame")
    assert stack.state == StackState.DEGRADED, transcript(operation)
    assert "1 of 2 tasks running" in stack.sentence
    (failure,) = failing.revision("lame").failures
    assert "non-zero exit (3)" in failure["error"]


def test_changed_contents_get_names_of_their_own_and_an_earlier_revision_comes_back(shop: World) -> None:
    first: dict[str, Any] = {"files": {"settings.txt": KEYSTORE, "password.txt": KEYSTORE[::-1]}}
    second: dict[str, Any] = {"files": {"settings.txt": b"a: 2", "password.txt": b"hunter3"}}
    succeeded(shop.deploy("rotated", ROTATED, **first))
    assert shop.listed("config", "rotated") + shop.listed("secret", "rotated") == [
        "rotated_settings",
        "rotated_password",
    ]

    succeeded(shop.deploy("rotated", ROTATED, updating=True, **second))

    (config,), (secret,) = shop.listed("config", "rotated"), shop.listed("secret", "rotated")
    assert config.startswith("rotated_settings-")
    assert secret.startswith("rotated_password-")
    assert shop.content(config) == b"a: 2"

    succeeded(revisions.roll_back(shop.environment, shop.user, shop.stack("rotated"), 1))
    newest = shop.revision("rotated")
    assert (newest.n, newest.origin, newest.came_from) == (3, Origin.ROLLBACK, 1)
    (config,) = shop.listed("config", "rotated")
    assert shop.content(config) == KEYSTORE
    # The task reads the secret as it was given, and nothing else can.
    until(lambda: shop.secret_in_task("rotated_web", "password") == KEYSTORE[::-1], what="a task has the secret")


def test_what_a_deployment_did_is_recorded_as_a_plan_would_have_told_it(shop: World, settings: Any) -> None:
    settings.PM_SOCKETS = shop.lab.var / "links"
    first: dict[str, Any] = {"files": {"settings.txt": b"a: 1", "password.txt": b"hunter2"}}
    second: dict[str, Any] = {"files": {"settings.txt": b"a: 2", "password.txt": b"hunter3"}}
    changed = ROTATED.replace("web:", "web:\n    hostname: ${NAME}").replace("ticker:1", "ticker:2")
    more = changed.replace("\nconfigs:", "\n  next: {image: '127.0.0.1:1/ticker:1'}\nconfigs:")

    def told(compose: str, *, kept: bool = False, updating: bool = True, **wish: Any) -> tuple[str, str, str]:
        """The plan, what the revision has for one, and the operation's log."""
        plan = plan_stack(shop.environment, stacks.Wish("told", compose, **wish), updating=updating).text
        if not kept:
            cache.clear()
        operation = succeeded(shop.deploy("told", compose, updating=updating, **wish))
        return plan, shop.revision("told").plan, transcript(operation)

    try:
        planned, recorded, said = told(ROTATED, updating=False, **first)
        assert recorded == planned
        assert "Nothing of it is there" in said and "+ service told_web (create)" in said
        planned, recorded, said = told(changed, answers={"NAME": "comet"}, **second)
        assert (
            recorded == planned and "hostname: (not set) -> comet" in recorded and "± secret told_password" in recorded
        )
        assert "No plan of this was looked at" in said
        planned, recorded, said = told(more, kept=True, answers={"NAME": "comet"}, **second)
        assert recorded == planned and "+ service told_next (create)" in said
        assert "The plan, as it was shown:" in said and "What it did" not in said

        wish = stacks.Wish("told", more, {"NAME": "planet"}, **second)
        plan_stack(shop.environment, wish, updating=True)
        shop.docker("service", "update", "-d", "--hostname", "moon", "told_web")
        operation = succeeded(stacks.deploy_stack(shop.environment, shop.user, wish, updating=True))
        assert "hostname: moon -> planet" in shop.revision("told").plan
        assert "The swarm changed since the plan was shown" in transcript(operation)
        assert "hunter" not in said + recorded + transcript(operation)
    finally:
        wiring.run(wiring.core().pool.forget(shop.host.pk), 5)
    succeeded(stacks.remove_stack(shop.environment, shop.user, "told"))


def test_a_network_gets_another_mtu_when_its_stack_is_made_anew(shop: World) -> None:
    succeeded(shop.deploy("wide", NETWORKED.replace("MTU", "1300")))
    succeeded(shop.deploy("wide", NETWORKED.replace("MTU", "1200"), updating=True, anew=True))

    options = shop.docker("network", "inspect", "wide_default", "--format", "{{json .Options}}")
    assert json.loads(options)["com.docker.network.driver.mtu"] == "1200"
    assert shop.revision("wide").wishes["anew"] is False
    assert "± network wide_default (replace)" in shop.revision("wide").plan
    succeeded(stacks.remove_stack(shop.environment, shop.user, "wide"))


def test_a_stack_made_elsewhere_is_adopted_and_deployed_again_without_a_change(
    shop: World, settings: Any, tmp_path: Path
) -> None:
    settings.PM_SOCKETS = shop.lab.var / "links"
    (tmp_path / "settings.txt").write_bytes(KEYSTORE)
    (tmp_path / "compose.yml").write_text(ELSEWHERE)
    shop.docker("stack", "deploy", "--detach=true", "-c", str(tmp_path / "compose.yml"), "elsewhere")
    before = shop.specs("elsewhere")

    try:
        adopted = adoption.adopt(shop.environment, shop.user, "elsewhere")
    finally:
        wiring.run(wiring.core().pool.forget(shop.host.pk), 5)
    revision = shop.revision("elsewhere")
    assert (revision.origin, revision.answers) == (Origin.ADOPTED, {"DB_PASSWORD": "s3cr$et: {x}"})
    assert "s3cr" not in revision.compose
    assert adopted.settled_at is not None

    until(lambda: shop.knows("elsewhere_settings"), what="the watcher sees what the stack uses")
    again = succeeded(revisions.redeploy(shop.environment, shop.user, adopted))
    assert shop.specs("elsewhere") == before, f"{revision.compose}\n{transcript(again)}"
    summary = "0 to create, 0 to change, 0 to replace, 0 to remove, 6 unchanged"
    assert shop.revision("elsewhere").plan.endswith(f"(keep)\n{summary}")
    assert shop.content("elsewhere_settings") == KEYSTORE

    adoption.release(shop.environment, shop.user, "elsewhere")
    assert not shop.environment.stacks.filter(name="elsewhere").exists()
    assert shop.specs("elsewhere") == before


def test_a_crash_loop_shows_the_last_lines_of_what_ended(failing: World) -> None:
    operation = failed(failing.revision("crash").operation)

    assert failing.stack("crash").state == StackState.FAILED
    (failure,) = failing.revision("crash").failures
    assert (failure["service"], failure["node"]) == ("crash_web", "fw-01")
    assert "non-zero exit (3)" in failure["error"]
    # The engine reads both streams of a container at once, and may tell their lines in either order.
    assert "giving up" in failure["lines"][-2:]
    assert "giving up" in transcript(operation)
    assert failing.revision("crash").finished_at is not None


def test_an_image_that_can_not_be_pulled_is_named_with_the_reason(failing: World) -> None:
    operation = failed(failing.revision("absent").operation)

    assert "the image 127.0.0.1:1/absent:1 can't be pulled" in operation.error
    (failure,) = failing.revision("absent").failures
    assert failure["lines"] == []
    assert "connection refused" in failure["error"]


def test_a_service_that_fits_no_host_names_the_constraint(failing: World) -> None:
    operation = failed(failing.revision("nowhere").operation)

    assert "no host can take it: 1 host does not meet the constraint node.labels.disk == ssd." in operation.error
    assert failing.stack("nowhere").state == StackState.FAILED


def test_an_unhealthy_update_is_rolled_back_and_tells_what_the_new_version_said(failing: World) -> None:
    operation = failing.revision("sick").operation
    assert operation is not None
    succeeded(operation)

    ill = {"TOLD": "ill", "CODE": "1"}
    operation = failed(failing.deploy("sick", HEALTHY.replace("ticker:1", "ticker:2"), updating=True, answers=ill))

    assert failing.stack("sick").state == StackState.ROLLED_BACK, transcript(operation)
    assert failing.revision("sick").failures, transcript(operation)
    (failure,) = failing.revision("sick").failures
    assert "the check says ill" in failure["error"], failure
    assert any(line.startswith("ticker 2 on") for line in failure["lines"]), failure
