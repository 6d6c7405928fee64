"""What a recipe asks of hosts is shown with its code, however it is written, and refused where it is forbidden."""

import pytest
from looking import only, problems, said, service

from platform_manager.recipes import Danger, Severity

SOCKET = [
    "volumes: ['/var/run/docker.sock:/s']",
    "volumes: ['/var/run/docker.sock:/s:ro']",
    "volumes: ['//run//docker.sock:/s']",
    "volumes: ['/var/run/../run/docker.sock:/s']",
    "volumes: ['/var/lock/..:/s']",
    "volumes: ['/:/host:ro']",
    "volumes: ['/var/run:/s']",
    "volumes: ['/run/:/s']",
    "volumes: ['/run/containerd:/s']",
    "volumes: ['/opt/linked/docker.sock:/s']",
    "volumes: ['/proc/1/root/run:/s']",
    "volumes: ['/proc/self/cwd:/s']",
    "volumes: [{type: bind, source: /var/run/docker.sock, target: /s}]",
    "volumes: [{type: bind, source: '/{{\"run/docker.sock\"}}', target: /s}]",
    "volumes: ['${WHERE:-/var/run/docker.sock}:/s']",
]
VOLUMES = [
    "{driver_opts: {type: none, o: bind, device: /root}}",
    "{driver: local, driver_opts: {type: none, o: 'ro,rbind', device: /root}}",
    "{driver_opts: {type: nfs, o: rbind, device: /root}}",
    "{driver_opts: {type: ext4, device: /dev/sda1}}",
    "{driver_opts: {type: overlay, device: overlay, o: 'lowerdir=/etc:/var'}}",
    "{driver_opts: {type: '{{\"none\"}}', o: '{{\"bi\"}}nd', device: '{{\"/root\"}}'}}",
    "{driver_opts: {type: tmpfs, o: '{{\"bi\"}}nd', device: x}}",
    "{driver: local-persist, driver_opts: {mountpoint: /root}}",
]
HARMLESS = [
    "{driver_opts: {type: nfs, o: 'addr=10.0.0.1,rw', device: ':/export'}}",
    "{driver_opts: {type: tmpfs, device: tmpfs, o: 'size=100m'}}",
    "{driver_opts: {type: cifs, device: '//files/share', o: 'username=ann'}}",
    "{driver: sshfs, driver_opts: {sshcmd: 'ann@files:/share'}}",
    "{driver_opts: {}}",
    "{external: true}",
]


def forbidding(*dangers: Danger) -> frozenset[str]:
    return frozenset(danger.value for danger in dangers)


@pytest.mark.parametrize("part", SOCKET)
def test_every_way_to_the_docker_socket_is_told(part: str) -> None:
    found = only(service(part))

    assert (found.severity, found.danger, found.path) == (Severity.DANGER, "docker_socket", "services.a.volumes[0]")


@pytest.mark.parametrize("part", SOCKET)
def test_no_way_to_a_forbidden_docker_socket_is_open(part: str) -> None:
    found = only(service(part), forbidden=forbidding(Danger.DOCKER_SOCKET))

    assert (found.severity, found.danger) == (Severity.ERROR, "docker_socket")
    assert "does not allow the Docker socket: remove it, or ask an operator." in found.message


@pytest.mark.parametrize("folder", ["/etc", "/srv/data", "/", "/run", "/proc/1/root", "/proc", "/dev/sda"])
def test_folders_of_hosts_can_be_forbidden_with_what_lies_above_the_socket(folder: str) -> None:
    found = only(service(f"volumes: ['{folder}:/x']"), forbidden=forbidding(Danger.HOST_FOLDERS))

    assert (found.severity, found.danger) == (Severity.ERROR, "host_folders")
    assert folder in found.message


def test_the_socket_alone_is_no_folder() -> None:
    found = only(service("volumes: ['/var/run/docker.sock:/s']"), forbidden=forbidding(Danger.HOST_FOLDERS))

    assert found.severity is Severity.DANGER


@pytest.mark.parametrize("volume", VOLUMES)
def test_volumes_that_show_the_host_are_told(volume: str) -> None:
    text = service("volumes: ['data:/x']") + f"volumes: {{data: {volume}}}"

    assert [(p.severity, p.danger) for p in problems(text)] == [(Severity.DANGER, "host_folders")]
    assert only(text, forbidden=forbidding(Danger.HOST_FOLDERS)).severity is Severity.ERROR


@pytest.mark.parametrize("volume", HARMLESS)
def test_volumes_from_elsewhere_are_no_danger(volume: str) -> None:
    text = service("volumes: ['data:/x']") + f"volumes: {{data: {volume}}}"

    assert problems(text, volumes={"data"}) == []


def test_a_volume_made_of_the_socket_s_folder_is_the_socket() -> None:
    text = service("volumes: ['data:/x']") + "volumes: {data: {driver_opts: {type: none, o: bind, device: /run}}}"

    assert only(text, forbidden=forbidding(Danger.DOCKER_SOCKET)).danger == "docker_socket"


@pytest.mark.parametrize("network", ["{external: true, name: host}", "{external: {name: host}}"])
def test_the_host_s_network_is_told_by_any_name(network: str) -> None:
    text = service("networks: [front]") + f"networks: {{front: {network}}}"

    assert (only(text).severity, only(text).danger) == (Severity.DANGER, "host_network")
    assert only(text, forbidden=forbidding(Danger.HOST_NETWORK)).severity is Severity.ERROR


def test_capabilities_are_told_together_and_those_of_every_container_are_not() -> None:
    found = only(service("cap_add: [NET_ADMIN, CAP_SYS_PTRACE, CHOWN]"))

    assert (found.severity, found.danger) == (Severity.DANGER, "capabilities")
    assert "NET_ADMIN, SYS_PTRACE on" in found.message
    assert said(service("cap_add: [CHOWN, net_bind_service]")) == []


def test_privileges_have_no_effect_and_can_be_forbidden() -> None:
    assert (only(service("privileged: true")).severity, only(service("privileged: true")).danger) == (
        Severity.WARNING,
        "privileged",
    )
    assert only(service("privileged: true"), forbidden=forbidding(Danger.PRIVILEGED)).severity is Severity.ERROR


@pytest.mark.parametrize("source", ["./data", "../x", "~/x", "data/../x/./y"])
def test_binds_that_are_no_path_of_a_host_are_refused(source: str) -> None:
    assert only(service(f"volumes: [{{type: bind, source: '{source}', target: /x}}]")).severity is Severity.ERROR


def test_named_pipes_are_refused() -> None:
    pipe = r"volumes: [{type: npipe, source: '\\.\pipe\docker_engine', target: '\\.\pipe\docker_engine'}]"

    assert "only Windows has" in only(service(pipe)).message


def test_a_volume_of_one_letter_is_read_as_a_drive() -> None:
    found = only(service("volumes: ['v:/x']") + "volumes: {v: }")

    assert (found.severity, "two letters or more" in found.message) == (Severity.ERROR, True)
