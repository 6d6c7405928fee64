"""The rendered script: whatever the values are, the shell sees values."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from platform_manager.clouds.base import BootstrapSpec
from platform_manager.clouds.bootstrap import SETTINGS_LINE, render
from platform_manager.errors import UserError

SPEC = BootstrapSpec(
    join_url="https://platform.example/join/abc",
    hub_host="hub.example",
    hub_port=2222,
    hub_host_key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB6ZnhmXko2QfDFoHrpOUvoInCd4bhIdEW3PbVYydZWW hub",
    host_id="af298a14",
    token="abc",
    mtu=1400,
)
HOSTILE = '\'; touch /tmp/owned; echo "$(id)`id`" \\\n# @SETTINGS@\nTOKEN=x'


def seen_by_shell(spec: BootstrapSpec, *names: str) -> list[str]:
    """The values of variables as the rendered script sets them, without its last line, which starts it."""
    script = (
        render(spec).removesuffix("main </dev/null\n") + 'printf "%s\\0" ' + " ".join(f'"${name}"' for name in names)
    )
    run = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    return run.stdout.split("\0")[:-1]


def test_hostile_values_arrive_as_they_are() -> None:
    spec = replace(SPEC, token=HOSTILE, engine_options={"labels": [HOSTILE], "mtu": 9000})

    token, options = seen_by_shell(spec, "TOKEN", "ENGINE_OPTIONS")

    assert token == HOSTILE
    assert options.startswith('"labels": ["\'; touch /tmp/owned') and "mtu" not in options


def test_the_hub_key_loses_its_comment_and_an_open_mtu_is_empty() -> None:
    values = seen_by_shell(replace(SPEC, mtu=None), "HUB_HOST_KEY", "WANTED_MTU", "HUB_PORT")
    assert values == [" ".join(SPEC.hub_host_key.split()[:2]), "", "2222"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("join_url", "file:///etc/passwd"),
        ("join_url", 'http://platform/join/a" --upload-file x'),
        ("join_url", "http://platform/join/a\nb"),
        ("docker_install_url", "ftp://install.example"),
        ("hub_host", "-oProxyCommand=id"),
        ("hub_host", "hub example"),
        ("host_id", "-oProxyCommand=id"),
        ("host_id", "a'b"),
        ("host_id", ""),
        ("hub_host_key", "ssh-ed25519"),
        ("hub_host_key", "ssh-ed25519 AAAA\nevil ssh-ed25519 BBBB"),
        ("hub_host_key", "@cert-authority * ssh-ed25519 AAAA"),
        ("mtu", 100),
        ("mtu", 70000),
        ("token", "a\0b"),
    ],
)
def test_values_that_are_none_of_their_kind_are_refused(field: str, value: object) -> None:
    with pytest.raises(UserError) as refusal:
        render(replace(SPEC, **{field: value}))
    assert refusal.value.field == field


def test_a_port_out_of_range_is_refused() -> None:
    with pytest.raises(UserError):
        render(replace(SPEC, hub_port=0))


def test_the_script_and_its_neighbours_pass_shellcheck(tmp_path: Path) -> None:
    assert shutil.which("shellcheck"), "shellcheck is missing: apt-get install shellcheck"
    root = Path(__file__).parents[2]
    rendered = tmp_path / "join.sh"
    rendered.write_text(render(SPEC), encoding="utf-8")
    scripts = [rendered, *sorted((root / "scripts").glob("*.sh"))]
    check = subprocess.run(["shellcheck", *scripts], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stdout
    assert SETTINGS_LINE not in rendered.read_text(encoding="utf-8")
