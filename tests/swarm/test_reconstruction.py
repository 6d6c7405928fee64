"""A compose file out of a service's spec; that deploying it changes nothing is tried on a real engine."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from platform_manager import recipes
from platform_manager.swarm.reconstruction import Reconstruction, reconstruct
from platform_manager.swarm.service_parts import duration
from platform_manager.swarm.snapshot import STACK_LABEL


def service(name: str = "shop_web", container: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    template = {"ContainerSpec": {"Image": "web:1", **(container or {})}, "Networks": [{"Target": "n1"}]}
    labels = {STACK_LABEL: "shop", **spec.pop("Labels", {})}
    return {"ID": name, "Spec": {"Name": name, "Labels": labels, "TaskTemplate": template, **spec}}


def rebuilt(*services: dict[str, Any]) -> tuple[Reconstruction, dict[str, Any]]:
    """The reconstruction, and its compose file read."""
    found = reconstruct(services, {"n1": "shop_default"}, "shop", is_secret=lambda name: "PASSWORD" in name)
    recipes.parse(found.compose)
    return found, yaml.safe_load(found.compose)


def test_what_is_there_is_external_by_its_name() -> None:
    own = {"Labels": {STACK_LABEL: "shop"}}
    container = {
        "Configs": [{"ConfigName": "shop_a", "File": {"Name": "/a", "UID": "0", "GID": "0", "Mode": 292}}],
        "Mounts": [
            {"Type": "volume", "Source": "shop_data", "Target": "/d", "VolumeOptions": own},
            {"Type": "volume", "Source": "other", "Target": "/o"},
        ],
    }
    _, compose = rebuilt(service(container=container))
    assert compose["networks"] == {"default": {"external": True, "name": "shop_default"}}
    assert compose["configs"] == {"a": {"external": True, "name": "shop_a"}}
    assert compose["volumes"] == {"data": {"name": "shop_data"}, "other": {"external": True, "name": "other"}}
    assert compose["services"]["web"]["configs"] == [
        {"source": "a", "target": "/a", "uid": "0", "gid": "0", "mode": 292}
    ]


def test_secret_values_become_answers_each_with_a_variable_of_its_own() -> None:
    found, compose = rebuilt(
        service("shop_a", {"Env": ["PASSWORD=one", "PLAIN=x"]}),
        service("shop_b-c", {"Env": ["PASSWORD=zwei"]}),
        service("shop_d", {"Env": ["PASSWORD=one"]}),
    )
    assert found.answers == {"PASSWORD": "one", "B_C_PASSWORD": "zwei"}
    assert {name: one["environment"]["PASSWORD"] for name, one in compose["services"].items()} == {
        "a": "${PASSWORD}",
        "b-c": "${B_C_PASSWORD}",
        "d": "${PASSWORD}",
    }
    assert "zwei" not in found.compose


def test_no_service_gets_the_secret_of_another() -> None:
    """Names that read alike, taken ones, and blank variables, which answers of their name fill."""
    given = {
        "a": ["PASSWORD=one", "D_PASSWORD=five"],
        "b-c": ["PASSWORD=zwei"],
        "b_c": ["PASSWORD=three"],
        "d": ["PASSWORD=four", "TOKEN_PASSWORD="],
        "e": ["TOKEN_PASSWORD=six", "B_C_PASSWORD_2="],
        "f": ["TOKEN_PASSWORD"],
    }
    found, _ = rebuilt(*(service(f"shop_{name}", {"Env": entries}) for name, entries in given.items()))

    made = recipes.prepare(recipes.parse(found.compose), found.answers, mtu=1500, stack_name="shop")

    services = yaml.safe_load(made.compose)["services"]
    assert {name: [f"{k}={v or ''}" for k, v in one["environment"].items()] for name, one in services.items()} == {
        **given,
        "f": ["TOKEN_PASSWORD="],
    }


@pytest.mark.parametrize("value", ["1e3", "0o17", "yes", "22:22", "~", "", " x", "a: b", "#", "$HOME ${X}", "zwei\nüä"])
def test_values_stay_the_text_they_are(value: str) -> None:
    found, compose = rebuilt(service(container={"Env": [f"VALUE={value}"]}))
    read = compose["services"]["web"]["environment"]["VALUE"]
    assert read.replace("$$", "$") == value
    assert recipes.variables(recipes.parse(found.compose)) == []
    assert recipes.parse(found.compose).value["services"]["web"]["environment"]["VALUE"] == read


def test_a_resolved_image_is_pinned_and_the_file_says_what_was_given() -> None:
    labels = {"com.docker.stack.image": "web:1"}
    found, compose = rebuilt(service(container={"Image": "web:1@sha256:abc"}, Labels=labels))
    assert compose["services"]["web"]["image"] == "web:1"
    assert found.pins == {"web": "web:1@sha256:abc"}


def test_what_no_compose_file_can_say_is_noted() -> None:
    container = {"Groups": ["docker"], "Privileges": {"SELinuxContext": {"Disable": True}}}
    found, _ = rebuilt(service(container=container))
    assert found.notes == [
        "web: additional groups can't be kept.",
        "web: privileges (SELinux, credential specs, AppArmor, seccomp) can't be kept.",
    ]


def test_hostile_specs_do_no_harm() -> None:
    strange: dict[str, Any] = {
        "Env": [None, 5, "=x"],
        "Mounts": "none",
        "Healthcheck": [],
        "Ulimits": [None],
        "Hosts": [7, "10.0.0.1"],
        "Secrets": [None],
    }
    rebuilt(service(container=strange, EndpointSpec={"Ports": [None]}, UpdateConfig=3, Mode=[]))


@pytest.mark.parametrize(
    ("nanoseconds", "words"),
    [(90_000_000_000, "90s"), (3_600_000_000_000, "1h"), (1_500_000_000, "1500ms"), (1, "1ns"), (0, "0s")],
)
def test_durations_are_written_exactly(nanoseconds: int, words: str) -> None:
    assert duration(nanoseconds) == words
