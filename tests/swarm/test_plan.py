"""Plans made of rehearsals: which object is told how, and what is hidden."""

from __future__ import annotations

from typing import Any

import pytest

from platform_manager.engines.rehearsal import Before, Given, Recorded, Rehearsal
from platform_manager.swarm.plan import Change, Item, Plan
from platform_manager.swarm.plan_making import DIGESTS, UNSEEN, Masks, planned

LABEL = {"com.docker.stack.namespace": "s1"}
MTU = "com.docker.network.driver.mtu"


def spec(name: str = "s1_web", **container: Any) -> dict[str, Any]:
    return {
        "Name": name,
        "Labels": LABEL,
        "TaskTemplate": {"ContainerSpec": {"Image": "web:1", **container}},
        "Mode": {"Replicated": {"Replicas": 2}},
    }


def plan(
    *orders: tuple[str, dict[str, Any]],
    services: list[Any] | None = None,
    networks: list[Any] | None = None,
    secrets: list[Any] | None = None,
    configs: list[Any] | None = None,
    declared: tuple[Any, ...] = (),
    **options: Any,
) -> Plan:
    told = [Recorded("DELETE" if not body else "POST", path, body) for path, body in orders]
    found = [[{"ID": f"id{n}", "Spec": one} for n, one in enumerate(kind or ())] for kind in (secrets, configs)]
    has = [{"ID": f"id{n}", "Spec": one} for n, one in enumerate(services or ())]
    before = Before(has, networks or [], *found)
    return planned(Rehearsal(tuple(told), declared, "", 0, before), "s1", **options)


def only(made: Plan, kind: str) -> Item:
    (item,) = [item for item in made.items if item.kind == kind]
    return item


def changes(made: Plan, kind: str = "service") -> list[tuple[str, str | None, str | None]]:
    return [(one.field, one.before, one.after) for one in only(made, kind).changes]


def test_a_first_deployment_creates() -> None:
    made = plan(
        ("/networks/create", {"Name": "s1_default", "Options": {MTU: "1400"}}),
        ("/secrets/create", {"Name": "s1_key", "Data": "aGVsbG8="}),
        ("/configs/create", {"Name": "s1_conf", "Data": "aGVsbG8="}),
        ("/services/create", spec(Mounts=[{"Type": "volume", "Source": "s1_data", "Target": "/data"}])),
    )
    assert {item.kind: item.action for item in made.items} == dict.fromkeys(
        ("network", "volume", "secret", "config", "service"), "create"
    )
    assert only(made, "network").note == "MTU 1400 bytes."
    assert only(made, "service").note == "web:1, 2 tasks."
    assert "aGVsbG8" not in made.text
    assert made.text.endswith("5 to create, 0 to change, 0 to replace, 0 to remove, 0 unchanged")


def test_the_text_is_made_for_terminals() -> None:
    made = plan(
        ("/services/create", spec("s1_db")),
        ("/services/id0/update", spec(Image="web:2", Args=["a\nb\x1b[0m"])),
        ("/services/id1", {}),
        services=[spec(), spec("s1_old")],
    )
    assert made.text == (
        "+ service s1_db (create)\n"
        "    web:1, 2 tasks.\n"
        "- service s1_old (remove)\n"
        "    It is not in the file any more. Its volumes stay on their hosts.\n"
        "~ service s1_web (update)\n"
        "    image: web:1 -> web:2\n"
        "    command: (not set) -> 'a\\nb\\e[0m'\n"
        "    Its tasks are replaced.\n"
        "1 to create, 1 to change, 0 to replace, 1 to remove, 0 unchanged"
    )
    assert not made.changes_nothing


def test_what_engines_fill_in_is_no_change() -> None:
    stored = spec(Isolation="default", Privileges={"CredentialSpec": None, "SELinuxContext": None})
    stored["TaskTemplate"] |= {
        "ForceUpdate": 4,
        "Runtime": "container",
        "RestartPolicy": {"Condition": "any", "MaxAttempts": 0},
        "Placement": {"Platforms": [{"Architecture": "amd64", "OS": "linux"}]},
        "Networks": [{"Target": "n1", "Aliases": ["web"]}],
    }
    stored |= {
        "UpdateConfig": {"Parallelism": 1, "FailureAction": "pause", "MaxFailureRatio": 0, "Order": "stop-first"},
        "EndpointSpec": {"Mode": "vip"},
    }
    sent = spec(Privileges={"CredentialSpec": None, "NoNewPrivileges": False, "Seccomp": None})
    sent["TaskTemplate"] |= {
        "ForceUpdate": 4,
        "RestartPolicy": {},
        "Networks": [{"Target": "shared", "Aliases": ["web"]}],
    }
    sent |= {"UpdateConfig": {"Parallelism": 1, "MaxFailureRatio": 0}, "EndpointSpec": {}}
    made = plan(("/services/id0/update", sent), services=[stored], networks=[{"Id": "n1", "Name": "shared"}])
    assert changes(made) == []
    assert made.changes_nothing


def test_a_part_that_is_not_known_is_told_under_its_own_name() -> None:
    after = spec(OomScoreAdj=7)
    after["TaskTemplate"]["Novelty"] = {"Deep": [1, 2]}
    made = plan(("/services/id0/update", after), services=[spec()])
    assert changes(made) == [
        ("TaskTemplate.ContainerSpec.OomScoreAdj", None, "7"),
        ("TaskTemplate.Novelty.Deep", None, "1, 2"),
    ]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("web:1@sha256:aa", "web:1", []),
        ("web:1@sha256:aa", "web:2", [("image", "web:1@sha256:aa", "web:2")]),
        ("web:1@sha256:aa", "web:1@sha256:aa", []),
        ("web:1@sha256:aa", "web:1@sha256:bb", [("image", "web:1@sha256:aa", "web:1@sha256:bb")]),
        ("web:1", "web:1@sha256:bb", [("image", "web:1", "web:1@sha256:bb")]),
    ],
)
def test_an_image_is_compared_without_the_digest_that_deploying_resolves(before: str, after: str, told: Any) -> None:
    made = plan(("/services/id0/update", spec(Image=after)), services=[spec(Image=before)])
    assert changes(made) == told
    assert (DIGESTS in made.notes) == ("@" in before)


def test_a_content_that_an_adopted_stack_calls_external_is_still_used() -> None:
    before = spec(Configs=[{"ConfigID": "id0", "ConfigName": "s1_conf", "File": {"Name": "/a"}}])
    configs = [{"Name": name, "Labels": LABEL} for name in ("s1_conf", "s1_left")]
    made = plan(("/services/id0/update", before), services=[before], configs=configs)
    assert [item.name for item in made.told] == ["s1_left"]
    assert made.changes_nothing


def test_values_of_secret_variables_are_never_told() -> None:
    masks = Masks(lambda text: text.replace("hunter2", "***"), lambda name: "PASSWORD" in name)
    before = spec(Env=["DB_PASSWORD=old", "URL=//a:hunter2@b", "OLD_PASSWORD=x", "SAME_PASSWORD=y", "MODE="])
    after = spec(Env=["DB_PASSWORD=new", "URL=//c:hunter2@b", "NEW_PASSWORD=z", "SAME_PASSWORD=y", "MODE=x"])
    made = plan(("/services/id0/update", after), services=[before], masks=masks)
    assert changes(made) == [
        ("environment.DB_PASSWORD", "***", "*** (changed)"),
        ("environment.URL", "//a:***@b", "//c:***@b"),
        ("environment.OLD_PASSWORD", "***", None),
        ("environment.MODE", "", "x"),
        ("environment.NEW_PASSWORD", None, "***"),
    ]


def test_secrets_in_names_and_images_are_hidden() -> None:
    masks = Masks(lambda text: text.replace("hunter2", "***"))
    body = spec("s1_hunter2", Image="hunter2:1", Mounts=[{"Type": "volume", "Source": "hunter2", "Target": "/x"}])
    made = plan(("/services/create", body), masks=masks)
    assert "hunter2" not in made.text
    assert "s1_***" in made.text


def test_values_that_differ_in_what_is_hidden_are_told_as_changed() -> None:
    masks = Masks(lambda text: text.replace("hunter2", "***").replace("hunter3", "***"))
    made = plan(
        ("/services/id0/update", spec(Args=["--key=hunter3"])), services=[spec(Args=["--key=hunter2"])], masks=masks
    )
    assert changes(made) == [("command", "--key=***", "--key=*** (changed)")]


def test_a_config_with_other_content_is_replaced_and_its_services_change() -> None:
    mounted = spec(Configs=[{"File": {"Name": "/etc/a.conf"}, "ConfigName": "s1_conf"}])
    conf = {"Name": "s1_conf", "Labels": LABEL, "Data": "b2xk"}
    orders = ("/configs/id0/update", {**conf, "Data": "bmV3"}), ("/services/id0/update", mounted)
    made = plan(*orders, services=[mounted], configs=[conf])
    assert (only(made, "config").action, only(made, "config").note) == ("replace", "Content changed.")
    assert changes(made) == [("configs /etc/a.conf", "s1_conf", "s1_conf (new content)")]
    assert "bmV3" not in made.text
    assert plan(("/configs/id0/update", conf), orders[1], services=[mounted], configs=[conf]).changes_nothing


@pytest.mark.parametrize("kind", ["secrets", "configs"])
@pytest.mark.parametrize("old", ["s1_key", "s1_key-0123abcd"])
def test_an_object_that_is_rotated_is_replaced(kind: str, old: str) -> None:
    new = {"Name": "s1_key-deadbeef", "Labels": LABEL, "Data": "bmV3"}
    made = plan((f"/{kind}/create", new), **{kind: [{"Name": old, "Labels": LABEL}]})
    item = only(made, kind[:-1])
    assert (item.name, item.action) == (old, "replace")
    assert "s1_key-deadbeef takes its place" in item.note


@pytest.mark.parametrize("kind", ["secrets", "configs"])
def test_an_object_that_gets_its_first_name_again_is_replaced_too(kind: str) -> None:
    """The rotated one is removed afterwards, as all earlier contents are."""
    new = {"Name": "s1_key", "Labels": LABEL, "Data": "bmV3"}
    made = plan((f"/{kind}/create", new), **{kind: [{"Name": "s1_key-deadbeef", "Labels": LABEL}]})
    item = only(made, kind[:-1])
    assert (item.name, item.action) == ("s1_key-deadbeef", "replace")
    assert "s1_key takes its place" in item.note


def test_a_long_name_is_known_though_its_rotated_one_is_cut() -> None:
    name = f"s1_{'k' * 61}"
    new = {"Name": f"{name[:55]}-deadbeef", "Labels": LABEL, "Data": "bmV3"}
    made = plan(("/secrets/create", new), secrets=[{"Name": name, "Labels": LABEL}])
    assert (only(made, "secret").name, only(made, "secret").action) == (name, "replace")


def test_a_secret_is_not_known_to_be_the_same_unless_somebody_compared() -> None:
    key = {"Name": "s1_key", "Labels": LABEL}
    order = ("/secrets/id0/update", {**key, "Data": "bmV3"})
    assert UNSEEN in plan(order, secrets=[key]).notes
    assert plan(order, secrets=[key], secrets_compared=True).notes == ()
    assert only(plan(order, secrets=[key]), "secret").action == "keep"


def test_a_network_is_not_changed_and_that_is_said() -> None:
    chosen = {"com.docker.network.driver.overlay.vxlanid_list": "4097"}
    network = {"Id": "n1", "Name": "s1_own", "Driver": "overlay", "Labels": LABEL, "Options": {MTU: "1400", **chosen}}
    declared = {"Name": "s1_own", "Driver": "overlay", "Labels": LABEL, "Options": {MTU: "1400"}}
    assert changes(plan(networks=[network], declared=(declared,)), "network") == []
    declared = {
        **declared,
        "Options": {MTU: "1300"},
        "Attachable": True,
        "IPAM": {"Config": [{"Subnet": "10.7.0.0/24"}]},
    }
    made = plan(networks=[network], declared=(declared,))
    assert changes(made, "network") == [
        ("attachable", "false", "true"),
        (f"driver_opts.{MTU}", "1400", "1300"),
        ("ipam.subnets", "", "10.7.0.0/24"),
    ]
    assert only(made, "network").action == "keep"
    assert "remove the stack and deploy it again" in only(made, "network").note


def test_what_nothing_uses_any_more_is_told() -> None:
    made = plan(
        networks=[{"Id": "n1", "Name": "s1_old", "Labels": LABEL}, {"Id": "n2", "Name": "ingress"}],
        secrets=[{"Name": "s1_key", "Labels": LABEL}],
        configs=[{"Name": "s1_conf", "Labels": LABEL}, {"Name": "foreign"}],
        services=[spec(Mounts=[{"Type": "volume", "Source": "s1_data", "Target": "/data"}])],
    )
    told = {item.name: item.note for item in made.told}
    assert set(told) == {"s1_old", "s1_key", "s1_conf", "s1_data"}
    assert all("any more" in note for note in told.values())
    assert "data stays" in told["s1_data"]


def test_what_the_platform_makes_first_is_told() -> None:
    given = Given(frozenset({"front"}), frozenset({"key"}), frozenset({"conf"}))
    made = plan(("/services/create", spec()), given=given, wished_volumes=["pool"])
    assert {(item.kind, item.name) for item in made.items if "makes it before" in item.note} == {
        ("network", "front"),
        ("volume", "pool"),
        ("secret", "key"),
        ("config", "conf"),
    }


def test_a_volume_that_hosts_have_is_kept() -> None:
    body = spec(Mounts=[{"Type": "volume", "Source": "s1_data", "Target": "/data"}])
    assert only(plan(("/services/create", body), volumes=["s1_data"]), "volume").action == "keep"


def test_it_is_said_whether_tasks_are_replaced() -> None:
    scaled = {**spec(), "Mode": {"Replicated": {"Replicas": 5}}}
    constraint = {"Placement": {"Constraints": ["node.role == worker"]}}
    moved = {**spec(), "TaskTemplate": spec()["TaskTemplate"] | constraint}
    everywhere = {**spec(), "Mode": {"Global": {}}}
    for note, after in {
        "Running tasks go on.": scaled,
        "Tasks that no longer fit their hosts move.": moved,
        "Its tasks are replaced.": spec(Image="web:2"),
        "The swarm does not change the mode of a service: remove the stack and deploy it again.": everywhere,
    }.items():
        assert only(plan(("/services/id0/update", after), services=[spec()]), "service").note == note


@pytest.mark.parametrize("wrong", [None, 7, "x", [1], {"Ports": 7}, {"Spec": []}])
def test_nonsense_from_a_manager_is_no_crash(wrong: Any) -> None:
    stored = {"Name": wrong, "TaskTemplate": {"ContainerSpec": {"Env": wrong, "Mounts": [wrong]}, "Placement": wrong}}
    more = {"EndpointSpec": {"Ports": [wrong]}, "UpdateConfig": wrong, "Mode": wrong, "Labels": wrong}
    made = plan(("/services/id0/update", spec()), services=[{**stored, **more}], networks=[{"Labels": wrong}])
    assert only(made, "service").action == "update"


@pytest.mark.parametrize(
    ("target", "note"),
    [("s1_default", ""), ("net0", ""), ("other", "Nothing in the stack uses it any more. It stays.")],
)
def test_a_network_of_the_stack_that_its_file_calls_external_is_not_said_to_be_unused(target: str, note: str) -> None:
    joined = spec()
    joined["TaskTemplate"]["Networks"] = [{"Target": target}]
    made = plan(
        ("/services/id0/update", joined),
        services=[spec()],
        networks=[{"Id": "net0", "Name": "s1_default", "Labels": LABEL}],
    )
    assert (only(made, "network").action, only(made, "network").note) == ("keep", note)


def test_what_is_removed_first_is_replaced_whatever_the_swarm_would_change_of_it() -> None:
    items = (
        Item("service", "shop_web", "keep"),
        Item("network", "shop_default", "keep", (Change("mtu", "1300", "1400"),), "It can't be changed."),
        Item("service", "shop_new", "create"),
        Item("volume", "shop_data", "keep"),
    )
    plan = Plan(items).anew()
    assert [item.action for item in plan.items] == ["replace", "replace", "create", "keep"]
    assert plan.items[1].note == ""
    assert "Volumes stay" in plan.text


@pytest.mark.parametrize(
    ("used", "note"), [("s1_key", ""), ("key-2", "Nothing in the stack uses it any more. It stays.")]
)
@pytest.mark.parametrize("kind", ["Secret", "Config"])
def test_a_secret_or_config_that_the_file_calls_external_is_not_said_to_be_unused(
    kind: str, used: str, note: str
) -> None:
    given: dict[str, Any] = {f"{kind}s": [{f"{kind}Name": used, f"{kind}ID": "id0"}]}
    having = spec(**given)
    there: dict[str, Any] = {f"{kind.lower()}s": [{"Name": "s1_key", "Labels": LABEL}]}
    made = plan(("/services/id0/update", having), services=[having], **there)
    assert (only(made, kind.lower()).action, only(made, kind.lower()).note) == ("keep", note)
