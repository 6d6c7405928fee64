"""The bootstrap script under dash and busybox sh, on a machine of fake commands."""

import json
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from fake_machine import SHELLS, FakeMachine

from platform_manager.clouds.base import BootstrapSpec

SPEC = BootstrapSpec(
    join_url="http://platform.example/join/s3cret-token",
    hub_host="hub.example",
    hub_port=2222,
    hub_host_key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA",
    host_id="af298a14",
    token="s3cret-token",
    mtu=1400,
)


@pytest.fixture(params=list(SHELLS))
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FakeMachine]:
    machine = FakeMachine(tmp_path, request.param, SPEC)
    yield machine
    machine.stop_loop()


def test_the_first_run_sets_up_everything(machine: FakeMachine) -> None:
    run = machine.run()

    assert run.returncode == 0, run.stdout + run.stderr
    assert json.loads(machine.config.read_text()) == {"mtu": 1400}
    assert (machine.root / "fakes" / "bridge_mtu").read_text().strip() == "1400"
    assert machine.state("known_hosts") == f"platform-manager-hub {SPEC.hub_host_key}\n"
    assert "-l 'af298a14'" in machine.state("link") and "StrictHostKeyChecking=yes" in machine.state("link")
    assert f"ExecStart=/bin/sh {machine.root}/state/link" in machine.unit.read_text()
    assert "systemctl restart platform-manager-link" in machine.calls()
    assert (machine.root / "state" / "key").stat().st_mode & 0o777 == 0o600
    assert run.stderr == ""


def test_the_second_run_changes_nothing(machine: FakeMachine) -> None:
    machine.run()
    files, calls = machine.files(), machine.calls()

    run = machine.run()

    assert run.returncode == 0, run.stdout + run.stderr
    assert machine.changes(machine.calls()[len(calls) :]) == []
    assert machine.files() == files


def test_what_is_sent_is_json_whatever_the_machine_is_called(machine: FakeMachine) -> None:
    machine.write(hostname='we"ird\\host\tname')
    machine.run()

    facts = machine.sent()

    assert facts["hostname"] == 'we"ird\\hostname'
    assert facts["public_key"].startswith("ssh-ed25519 AAAA") and facts["public_key"].endswith(" af298a14")
    assert (facts["architecture"], facts["engine_version"], facts["mtu"]) == ("x86_64", "20.10.24", 1450)
    assert facts["addresses"] == ["192.0.2.7"]
    assert min(facts["cpus"], facts["memory_bytes"], facts["disk_bytes"]) > 0
    assert facts["max_map_count"] == 65530


def test_an_unreachable_platform_is_tried_again(machine: FakeMachine) -> None:
    machine.write(statuses="000\n503\n000\n200\n")

    run = machine.run()

    assert run.returncode == 0, run.stdout
    assert [call for call in machine.calls() if call.startswith("sleep")] == ["sleep 1", "sleep 2", "sleep 4"]
    assert "can't be reached (curl: (7) Failed to connect)" in run.stdout and "answered 503" in run.stdout
    assert "s3cret" not in run.stdout + run.stderr + "".join(machine.calls())


def test_an_unreachable_platform_is_given_up_at_the_deadline(machine: FakeMachine) -> None:
    machine.write(statuses="000\n")
    machine.environment = {"PM_ENROL_SECONDS": "0"}

    run = machine.run()

    assert run.returncode == 1
    assert "run this again when it can" in run.stdout


def test_a_refusal_is_shown_and_final(machine: FakeMachine) -> None:
    machine.write(statuses="410\n200\n", answer="This invitation was used already.\x1b[31m")

    run = machine.run()

    assert run.returncode == 1
    assert "This invitation was used already.[31m" in run.stdout
    assert not (machine.root / "state" / "enrolled").exists() and not machine.unit.exists()


def test_a_new_token_enrols_again_with_the_same_key(machine: FakeMachine) -> None:
    machine.run()
    key = machine.state("key.pub")
    machine.write(statuses="200\n", swarm_state="active")

    run = machine.run(token="another")

    assert run.returncode == 0, run.stdout
    assert machine.state("key.pub") == key


def test_another_host_id_gets_another_key(machine: FakeMachine) -> None:
    machine.run()
    key = machine.state("key.pub")
    machine.write(statuses="200\n")

    assert machine.run(host_id="b0b").returncode == 0
    assert machine.state("key.pub").split()[1] != key.split()[1]
    assert "-l 'b0b'" in machine.state("link")


def test_a_smaller_device_wins_over_the_wanted_mtu(machine: FakeMachine) -> None:
    run = machine.run(mtu=9000)

    assert "WARNING: the environment asks for MTU 9000, eth0 carries 1450" in run.stdout
    assert json.loads(machine.config.read_text()) == {"mtu": 1450}


def test_without_a_wanted_mtu_the_measured_one_is_used(machine: FakeMachine) -> None:
    machine.run(mtu=None)
    assert json.loads(machine.config.read_text()) == {"mtu": 1450}


NO_JSON_TOOLS = """have() {
    case $1 in jq | python3) return 1 ;; esac
    command -v "$1" >/dev/null 2>&1
}"""


@pytest.mark.parametrize("hidden", ["jq", "python3"])
def test_other_settings_of_the_engine_stay(machine: FakeMachine, hidden: str) -> None:
    machine.config.write_text('{\n  "registry-mirrors": ["http://mirror.example"], "mtu": 1500\n}\n')
    machine.overrides = f'have() {{ [ "$1" != {hidden} ] && command -v "$1" >/dev/null 2>&1; }}'

    first = machine.run(engine_options={"log-level": "warn"})
    restarts = machine.calls().count("systemctl restart docker")
    machine.run(engine_options={"log-level": "warn"})

    assert first.returncode == 0, first.stdout + first.stderr
    assert json.loads(machine.config.read_text()) == {
        "registry-mirrors": ["http://mirror.example"],
        "mtu": 1400,
        "log-level": "warn",
    }
    assert restarts == 1 == machine.calls().count("systemctl restart docker")


def test_without_tools_foreign_settings_are_left_alone_and_explained(machine: FakeMachine) -> None:
    machine.config.write_text('{"registry-mirrors": []}')
    machine.overrides = NO_JSON_TOOLS

    run = machine.run()

    assert run.returncode == 1
    assert 'write {"mtu": 1400} into it by hand' in run.stdout
    assert machine.config.read_text() == '{"registry-mirrors": []}'


def test_own_settings_change_without_tools(machine: FakeMachine) -> None:
    machine.overrides = NO_JSON_TOOLS
    machine.run()

    assert machine.run(mtu=1300).returncode == 0
    assert json.loads(machine.config.read_text()) == {"mtu": 1300}


def test_an_engine_that_refuses_the_settings_gets_its_own_back(machine: FakeMachine) -> None:
    machine.config.write_text('{"debug": true}')
    machine.write(engine_broken="")

    run = machine.run()

    assert run.returncode == 1 and "put back as it was" in run.stdout
    assert machine.config.read_text() == '{"debug": true}'
    assert machine.calls().count("systemctl restart docker") == 2


def not_root(machine: FakeMachine) -> None:
    machine.write(uid="1000")


def odd_architecture(machine: FakeMachine) -> None:
    machine.write(arch="riscv64")


def old_engine(machine: FakeMachine) -> None:
    machine.write(engine_version="19.03.8")


def no_route(machine: FakeMachine) -> None:
    machine.write(route="")


def in_another_swarm(machine: FakeMachine) -> None:
    machine.write(swarm_state="active")


def wrong_clock(machine: FakeMachine) -> None:
    machine.write(date=formatdate(1_000_000_000, usegmt=True))


def podman(machine: FakeMachine) -> None:
    machine.write(engine_version="podman 5.0")


def no_ssh(machine: FakeMachine) -> None:
    machine.overrides = 'have() { [ "$1" != ssh ] && command -v "$1" >/dev/null 2>&1; }'


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (not_root, "this needs root"),
        (odd_architecture, "the architecture riscv64 is not supported"),
        (old_engine, "Docker 19.03.8 is too old: install 20.10 or newer"),
        (no_route, "no default route"),
        (in_another_swarm, "in a swarm already"),
        (wrong_clock, "seconds off"),
        (podman, "is podman here"),
        (no_ssh, "missing here, and could not be installed: ssh (package openssh-client)"),
    ],
)
def test_what_is_missing_is_said_plainly(machine: FakeMachine, spoil: Callable[[FakeMachine], Any], words: str) -> None:
    spoil(machine)

    run = machine.run()

    assert run.returncode == 1
    assert words in run.stdout
    assert not (machine.root / "state" / "enrolled").exists()


def test_a_right_clock_passes(machine: FakeMachine) -> None:
    machine.write(date=formatdate(usegmt=True))
    assert machine.run().returncode == 0


@pytest.mark.parametrize("url", ["", "https://install.example/install-docker"])
def test_a_missing_engine_is_installed(machine: FakeMachine, url: str) -> None:
    machine.remove("engine_up")
    machine.overrides = """have() {
        case $1 in docker*) [ -e "$FAKES/installed" ] ;; *) command -v "$1" >/dev/null 2>&1 ;; esac
    }"""

    run = machine.run(docker_install_url=url)

    assert run.returncode == 0, run.stdout + run.stderr
    assert any("install" in call and "docker.io" in call for call in machine.calls()) is (url == "")


def test_without_systemd_one_loop_keeps_the_link(machine: FakeMachine) -> None:
    machine.systemd = False

    first = machine.run()
    pid = machine.state("link.pid")
    second = machine.run()

    assert first.returncode == second.returncode == 0, first.stdout + second.stdout
    assert machine.state("link.pid") == pid
    assert "run this again after a reboot" in first.stdout


def test_a_bridge_in_use_by_the_own_swarm_stays(machine: FakeMachine) -> None:
    machine.run()
    machine.write(swarm_state="active", bridge_mtu="1500")

    run = machine.run()

    assert run.returncode == 0
    assert "docker_gwbridge has MTU 1500 and is in use by a swarm; it stays" in run.stdout


PLATFORM_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEqvt6ZN1l6kwPRewIhXIaynesvNaruHVqkKmOAJ7AZL platform"
DIALLED = {"join_url": "", "hub_host": "", "hub_port": 0, "hub_host_key": "", "token": "", "platform_key": PLATFORM_KEY}


def test_a_machine_that_is_dialled_lets_one_key_in_and_says_its_own(machine: FakeMachine) -> None:
    run = machine.run(**DIALLED)

    assert run.returncode == 0, run.stdout + run.stderr
    gate = machine.root / "gate"
    (line,) = (gate / ".ssh" / "authorized_keys").read_text().splitlines()
    assert line.startswith(f'restrict,port-forwarding,command="cat {gate}/facts" ssh-ed25519 AAAA')
    assert json.loads((gate / "facts").read_text())["mtu"] == 1450
    assert "platform-manager: host key ssh-ed25519 AAAAHOST\n" in run.stdout
    calls = machine.calls()
    assert any(call.startswith("useradd") for call in calls)
    assert "usermod -p * -G docker platform-manager" in calls
    assert "systemctl enable -q --now ssh" in calls
    assert not any(call.startswith(("curl", "systemctl restart platform-manager-link")) for call in calls)


def test_a_dialled_machine_is_the_same_after_a_second_run(machine: FakeMachine) -> None:
    machine.run(**DIALLED)
    files = machine.files()

    run = machine.run(**DIALLED)

    assert run.returncode == 0, run.stdout + run.stderr
    assert machine.files() == files


def test_an_engine_without_its_command_gets_one(machine: FakeMachine) -> None:
    machine.overrides = """have() {
        [ "$1" != docker ] || [ -n "${command_came:-}" ] || return 1
        command -v "$1" >/dev/null 2>&1
    }
    docker() { [ -n "${command_came:-}" ] && "$FAKES/../bin/docker" "$@"; }
    install_packages() { case "$*" in docker-cli) command_came=1 ;; esac; }"""

    run = machine.run()

    assert run.returncode == 0, run.stdout + run.stderr


def test_a_dialled_machine_without_an_ssh_server_gets_one(machine: FakeMachine) -> None:
    machine.write(no_sshd="")
    machine.overrides = """have() {
        [ "$1" != sshd ] || [ ! -e "$FAKES/no_sshd" ] || return 1
        command -v "$1" >/dev/null 2>&1
    }"""

    run = machine.run(**DIALLED)

    assert run.returncode == 0, run.stdout + run.stderr
    assert any("apt-get" in call and "openssh-server" in call for call in machine.calls())


def test_what_a_machine_says_at_its_first_boot_is_on_its_console_too(machine: FakeMachine) -> None:
    run = machine.run()

    assert (machine.root / "console").read_text() == run.stdout
    machine.root.joinpath("console").unlink()
    machine.environment["PM_CONSOLE"] = str(machine.root / "none" / "console")
    assert machine.run().returncode == 0
