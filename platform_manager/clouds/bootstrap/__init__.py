"""The one script that turns a machine into a host, rendered with every value quoted for the shell."""

import json
import re
import shlex
from importlib.resources import files

from platform_manager.clouds.base import BootstrapSpec
from platform_manager.errors import UserError

SETTINGS_LINE = "# @SETTINGS@\n"
SMALLEST_MTU, LARGEST_MTU = 576, 65535

_URL = re.compile(r"https?://[!#-\[\]-~]+")  # printable ASCII without blanks, quotes, backslashes
_HOST = re.compile(r"[A-Za-z0-9_.:\[\]][A-Za-z0-9_.:\[\]-]*")
_HOST_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_KEY = re.compile(r"[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,3}( [^\n\r]*)?")


def render(spec: BootstrapSpec) -> str:
    """The POSIX-sh script for one host; it holds the token, so it is as secret as the token."""
    _check(spec)
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in _settings(spec).items()]
    template = files(__package__).joinpath("join.sh").read_text(encoding="utf-8")
    return template.replace(SETTINGS_LINE, "".join(lines), 1)


def _settings(spec: BootstrapSpec) -> dict[str, str]:
    options = {key: value for key, value in spec.engine_options.items() if key != "mtu"}
    return {
        "JOIN_URL": spec.join_url,
        "HUB_HOST": spec.hub_host,
        "HUB_PORT": str(spec.hub_port),
        "HUB_HOST_KEY": " ".join(spec.hub_host_key.split()[:2]),
        "HOST_ID": spec.host_id,
        "TOKEN": spec.token,
        "WANTED_MTU": str(spec.mtu or ""),
        "DOCKER_INSTALL_URL": spec.docker_install_url,
        "PLATFORM_KEY": " ".join(spec.platform_key.split()[:2]),
        "ENGINE_OPTIONS": json.dumps(options, sort_keys=True)[1:-1],
    }


def _check(spec: BootstrapSpec) -> None:
    """Refuses values that are no address, port, key or id, whatever the shell would make of them."""
    if spec.docker_install_url and not _URL.fullmatch(spec.docker_install_url):
        raise UserError("The Docker install URL has to be a plain http or https address.", "docker_install_url")
    if not _HOST_ID.fullmatch(spec.host_id):
        raise UserError("A host id has only letters, digits, '.', '_' and '-'.", "host_id")
    if spec.mtu is not None and not SMALLEST_MTU <= spec.mtu <= LARGEST_MTU:
        raise UserError(f"An MTU is a number from {SMALLEST_MTU} to {LARGEST_MTU}.", "mtu")
    if spec.platform_key:
        if not _KEY.fullmatch(spec.platform_key.strip()):
            raise UserError("The platform's key is not a line such as 'ssh-ed25519 AAAA...'.", "platform_key")
    else:
        _check_dialling(spec)


def _check_dialling(spec: BootstrapSpec) -> None:
    """What a machine needs that dials the platform."""
    if not _URL.fullmatch(spec.join_url):
        raise UserError("The platform's own address is not a plain http or https address.", "join_url")
    if not _HOST.fullmatch(spec.hub_host) or not 0 < spec.hub_port < 65536:
        raise UserError("The hub's address has to be a host name or IP address and a port.", "hub_host")
    if not _KEY.fullmatch(spec.hub_host_key.strip()):
        raise UserError("The hub's host key is not a line such as 'ssh-ed25519 AAAA...'.", "hub_host_key")
    if "\0" in spec.token:
        raise UserError("A token never holds a NUL byte.", "token")
