"""Networks of the stack: their MTU, drivers and names; and names on networks it shares."""

import pytest
from looking import only, said, service

from platform_manager.recipes import Severity

SHARED = "networks: {back: {external: true, name: backend}}"
NEIGHBOURS = {"backend": {"mongo": "other_mongo", "db": "other_mongo"}}


def with_mtu(value: str) -> str:
    return service("networks: [n]") + f'networks: {{n: {{driver_opts: {{com.docker.network.driver.mtu: "{value}"}}}}}}'


def test_a_larger_mtu_than_the_hosts_carry_is_told_with_the_number_to_write() -> None:
    found = only(with_mtu("1500"))

    assert (found.severity, found.line) == (Severity.WARNING, 2)
    assert "asks for MTU 1500, but the hosts carry 1400" in found.message and "Write 1400" in found.message
    assert said(with_mtu("1400")) == said(with_mtu("1300")) == []


@pytest.mark.parametrize("value", ["abc", "-1", "14 00", "٣", "9" * 5_000])
def test_an_mtu_that_is_no_number_is_an_error(value: str) -> None:
    assert only(with_mtu(value)).severity is Severity.ERROR


@pytest.mark.parametrize("existing", [1500, 0, 1450])
def test_a_network_that_exists_with_another_mtu_offers_to_start_anew(existing: int) -> None:
    known = {"networks": {"shop_n"}, "network_mtus": {"shop_n": existing}, "network_stacks": {"shop_n": "shop"}}

    found = only(service("networks: [n]") + "networks: {n: }", **known)

    assert (found.severity, found.offer) == (Severity.WARNING, "recreate")
    assert f"exists with MTU {existing or 1500} and can't be changed to 1400 while it is in use" in found.message


def test_a_network_that_exists_as_wished_is_fine() -> None:
    known = {"networks": {"shop_default"}, "network_mtus": {"shop_default": 1400}}

    assert said(service("labels: {}"), **known) == []


def test_no_mtu_is_the_same_as_the_default() -> None:
    assert said(with_mtu("0"), networks={"shop_n"}, network_mtus={"shop_n": 1500}) == []


def test_another_stack_s_network_is_not_taken_over() -> None:
    text = service("networks: [n]") + "networks: {n: {name: frontend}}"

    found = only(text, networks={"frontend"}, network_stacks={"frontend": ""})

    assert (found.severity, "Write 'external: true'" in found.message) == (Severity.ERROR, True)


def test_a_network_of_another_stack_is_told_with_its_name() -> None:
    text = service("networks: [b_n]") + "networks: {b_n: }"

    found = only(text, stack_name="a", networks={"a_b_n"}, network_stacks={"a_b_n": "a_b"})

    assert (found.severity, "network 'a_b_n' already of the stack 'a_b'" in found.message) == (Severity.ERROR, True)


@pytest.mark.parametrize(
    ("declared", "name", "words"),
    [
        ("{external: true}", "n", "services join only those of the swarm"),
        ("{}", "shop_n", "can't make one of that name"),
    ],
)
def test_a_network_that_a_manager_has_for_itself_is_in_the_way(declared: str, name: str, words: str) -> None:
    text = service("networks: [n]") + f"networks: {{n: {declared}}}"

    found = only(text, local_networks={name: "bridge"}, wished_networks=frozenset({name}))

    assert (found.severity, found.offer, words in found.message) == (Severity.ERROR, "", True)
    assert f"'{name}'" in found.message and "(bridge)" in found.message and f"docker network rm {name}" in found.message
    assert said(text, local_networks={name: "bridge"}, networks={name}) == []


@pytest.mark.parametrize(
    ("wanted", "existing", "words"),
    [
        ("attachable: true", {"closed_networks": {"shop_n"}}, "is not attachable"),
        ("driver: overlay", {"network_drivers": {"shop_n": "macvlan"}}, "the driver macvlan, and can't be changed to"),
    ],
)
def test_what_a_network_can_t_become_any_more_offers_to_start_anew(
    wanted: str, existing: dict[str, object], words: str
) -> None:
    text = service("networks: [n]") + f"networks: {{n: {{{wanted}}}}}"
    there = {"networks": {"shop_n"}, "network_stacks": {"shop_n": "shop"}}

    found = only(text, **there, **existing)

    assert (found.severity, found.offer, words in found.message) == (Severity.WARNING, "recreate", True)
    assert said(text, **there) == said(text, **existing) == []


def test_an_external_network_that_the_file_wants_attachable_is_told_where_it_is_not() -> None:
    text = service("networks: [n]") + "networks: {n: {external: true, attachable: true}}"

    assert "'n' is not attachable" in only(text, networks={"n"}, closed_networks={"n"}).message
    assert said(text, networks={"n"}) == []
    assert said(text.replace(", attachable: true", ""), networks={"n"}, closed_networks={"n"}) == []


@pytest.mark.parametrize("driver", ["bridge", "host", "macvlan"])
def test_drivers_of_one_host_are_refused_where_they_are_used(driver: str) -> None:
    text = service("networks: [n]") + f"networks: {{n: {{driver: {driver}}}, unused: {{driver: {driver}}}}}"

    assert only(text).path == "networks.n.driver"


@pytest.mark.parametrize("part", ["networks: [back]", "networks: {back: null}", "networks: {back: {aliases: [other]}}"])
def test_a_name_that_another_stack_has_on_a_shared_network_is_told(part: str) -> None:
    found = only(service(part, "mongo") + SHARED, networks={"backend"}, neighbours=NEIGHBOURS)

    assert (found.severity, "'mongo' means 'other_mongo' too" in found.message) == (Severity.WARNING, True)


@pytest.mark.parametrize("external", ["{external: true, name: backend}", "{external: {name: backend}}"])
def test_services_without_networks_are_on_the_default_one_which_may_be_shared(external: str) -> None:
    text = service("labels: {}", "mongo") + f"networks: {{default: {external}}}"

    found = only(text, networks={"backend"}, neighbours=NEIGHBOURS)

    assert (found.severity, "'mongo' means 'other_mongo' too" in found.message) == (Severity.WARNING, True)


def test_aliases_count_as_names() -> None:
    text = service("networks: {back: {aliases: [db]}}") + SHARED

    assert "'db' means 'other_mongo' too" in only(text, networks={"backend"}, neighbours=NEIGHBOURS).message


def test_names_on_networks_of_its_own_are_its_own() -> None:
    text = service("networks: [backend]", "mongo") + "networks: {backend: }"

    assert said(text, neighbours=NEIGHBOURS) == []
