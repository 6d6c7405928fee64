"""What a deployment did, told from what the swarm held before and after it."""

from __future__ import annotations

from typing import Any

from platform_manager.engines.rehearsal import Before, Given
from platform_manager.swarm import held
from platform_manager.swarm.plan import Plan
from platform_manager.swarm.plan_making import DIGESTS, Masks
from platform_manager.swarm.plan_recording import owned, recorded

LABELS = {"com.docker.stack.namespace": "shop"}


def thing(name: str, number: int = 1, **spec: Any) -> dict[str, Any]:
    return {"ID": f"id-{name}", "Version": {"Index": number}, "Spec": {"Name": name, "Labels": LABELS, **spec}}


def service(name: str, image: str, *networks: str, number: int = 1, **container: Any) -> dict[str, Any]:
    template = {"ContainerSpec": {"Image": image, **container}, "Networks": [{"Target": one} for one in networks]}
    return thing(name, number, TaskTemplate=template, Mode={"Replicated": {"Replicas": 2}})


def network(name: str, identifier: str, **more: Any) -> dict[str, Any]:
    return {"Id": identifier, "Name": name, "Labels": LABELS, **more}


def swarm(**kinds: list[dict[str, Any]]) -> held.Held:
    return {kind: kinds.get(kind, []) for kind in held.KINDS}


def told(plan: Plan) -> list[tuple[str, str, str]]:
    return [(item.action, item.kind, item.name) for item in plan.items]


def test_a_stack_that_was_not_there_was_made() -> None:
    mounts = [{"Type": "volume", "Source": "shop_data", "Target": "/data"}]
    web = service("shop_web", "web:1@sha256:aa", "n1", Mounts=mounts)
    made = network("shop_default", "n1", Options={"com.docker.network.driver.mtu": "1400"})
    now = swarm(networks=[made], secrets=[thing("shop_key")], configs=[thing("shop_conf")], services=[web])
    plan = recorded(swarm(), now, [made], "shop", given=Given(frozenset({"front"})), wished_volumes={"pool"})
    assert told(plan) == [
        ("create", "network", "front"),
        ("create", "network", "shop_default"),
        ("create", "volume", "pool"),
        ("create", "volume", "shop_data"),
        ("create", "secret", "shop_key"),
        ("create", "config", "shop_conf"),
        ("create", "service", "shop_web"),
    ]
    assert "web:1@sha256:aa, 2 tasks." in plan.text
    assert "MTU 1400 bytes." in plan.text


def test_an_update_is_told_field_by_field_with_the_images_that_were_resolved() -> None:
    inner = network("shop_default", "n1")
    front = {"Id": "n2", "Name": "front"}
    before = swarm(
        networks=[inner],
        services=[
            service("shop_web", "web:1@sha256:aa", "n1", Env=["DB_PASSWORD=old", "MODE=a"]),
            service("shop_old", "old:1"),
        ],
    )
    now = swarm(
        networks=[inner],
        services=[service("shop_web", "web:1@sha256:bb", "n1", "n2", number=7, Env=["DB_PASSWORD=new", "MODE=b"])],
    )
    plan = recorded(before, now, [inner, front], "shop", masks=Masks(secret_name=lambda name: "PASSWORD" in name))
    assert plan.text == (
        "- service shop_old (remove)\n"
        "    It is not in the file any more. Its volumes stay on their hosts.\n"
        "~ service shop_web (update)\n"
        "    image: web:1@sha256:aa -> web:1@sha256:bb\n"
        "    environment.DB_PASSWORD: *** -> *** (changed)\n"
        "    environment.MODE: a -> b\n"
        "    networks front: (not set) -> joined\n"
        "    Its tasks are replaced.\n"
        "= network shop_default (keep)\n"
        "0 to create, 1 to change, 0 to replace, 1 to remove, 1 unchanged"
    )
    assert DIGESTS not in plan.notes


def test_contents_that_a_deployment_wrote_again_stay_and_one_that_it_left_was_replaced() -> None:
    before = swarm(secrets=[thing("shop_key", 3)], configs=[thing("shop_conf", 3, Data="YQ==")])
    now = swarm(
        secrets=[thing("shop_key", 4)],
        configs=[thing("shop_conf", 3, Data="YQ=="), thing("shop_conf-0123abcd", 5, Data="Yg==")],
    )
    plan = recorded(before, now, [], "shop")
    assert told(plan) == [("replace", "config", "shop_conf"), ("keep", "secret", "shop_key")]
    assert "shop_conf-0123abcd takes its place" in plan.text


def test_what_was_removed_first_was_replaced() -> None:
    before = swarm(networks=[network("shop_default", "n1")], services=[service("shop_web", "web:1", "n1")])
    made = network("shop_default", "n9")
    again = {**service("shop_web", "web:1", "n9"), "ID": "other"}
    plan = recorded(before, swarm(networks=[made], services=[again]), [made], "shop").anew()
    assert {(action, name) for action, _, name in told(plan)} == {("replace", "shop_default"), ("replace", "shop_web")}


def test_the_state_of_a_swarm_is_the_same_for_a_rehearsal_and_for_a_deployment() -> None:
    others = {"Id": "n2", "Name": "front", "Labels": None}
    found = swarm(networks=[network("shop_default", "n1")], services=[service("shop_web", "web:1")])
    before = Before([*found["services"]], [others, *found["networks"]], [{"ID": "s", "Spec": {"Name": "outside"}}], [])
    assert held.state(held.marks(owned(before, "shop"))) == held.state(held.marks(found))
    changed = swarm(networks=[*found["networks"]], services=[service("shop_web", "web:1", number=2)])
    assert held.state(held.marks(changed)) != held.state(held.marks(found))
