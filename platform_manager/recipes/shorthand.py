"""The short notations inside compose values, read as the Docker CLI reads them.

Each parser raises ValueError with the reason in words; callers add the place.
"""

import ipaddress
import re
import shlex
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Port:
    """``published`` is 0 when swarm picks one; ``mode`` is ``ingress`` or ``host``."""

    published: int
    target: int
    protocol: str = "tcp"
    mode: str = "ingress"


@dataclass(frozen=True)
class Mount:
    """``type`` as compose names it (``volume``, ``bind``, ``tmpfs`` ...); an empty source is anonymous."""

    type: str
    source: str
    target: str
    read_only: bool = False


def ports(spec: str, *, most: int = 65_536) -> list[Port]:
    """``[ip:][published:]target[/protocol]``, each side a port or a range; of a long one the first ``most``."""
    *front, container = spec.split(":")
    host = front[-1] if front else ""
    _check_address(":".join(front[:-1]))
    target, _, protocol = container.partition("/")
    protocol = (protocol.partition("/")[0] or "tcp").lower()
    if not target:
        raise ValueError(f"'{spec}' names no container port")
    first, last = _range(target)
    published = _range(host) if host else None
    if protocol not in ("tcp", "udp", "sctp"):
        raise ValueError(f"'{protocol}' is no protocol; use tcp, udp or sctp")
    if published is None:
        return [Port(0, port, protocol) for port in range(first, last + 1)[:most]]
    if first == last:
        return [Port(port, first, protocol) for port in range(published[0], published[1] + 1)[:most]]
    if last - first != published[1] - published[0]:
        raise ValueError(f"the ranges {host} and {target} differ in length")
    return [Port(published[0] + n, first + n, protocol) for n in range(last - first + 1)[:most]]


def check_ports(spec: str) -> None:
    """Reads a range without counting through it: a file may hold thousands."""
    ports(spec, most=1)


def _check_address(address: str) -> None:
    if not address:
        return
    bare = address[1:-1] if address.startswith("[") and address.endswith("]") else address
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        raise ValueError(f"'{address}' is no IP address") from None


def _range(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    bounds = _port(first), _port(last.partition("-")[0] if dash else first)
    if bounds[1] < bounds[0]:
        raise ValueError(f"the port range {text} runs backwards")
    return bounds


def _port(text: str) -> int:
    match = re.fullmatch("0*([0-9]{1,5})", text)
    if not match or int(match[1]) > 65535:
        raise ValueError(f"'{text[:60]}' is no port (0 to 65535)" if text else "a port number is missing")
    return int(match[1])


def mount(spec: str) -> Mount:
    """``[source:]target[:options]``, where a source that looks like a path is a bind."""
    if len(spec) <= 2:
        if not spec:
            raise ValueError("an empty volume")
        return Mount("volume", "", spec)
    fields = _split_drives(spec)
    if not all(fields):
        raise ValueError(f"'{spec}' has nothing between two colons")
    if len(fields) == 1:
        return Mount("volume", "", fields[0])
    if len(fields) > 3:
        raise ValueError(f"'{spec}' has too many colons")
    modes = [option for option in _options(fields) if option in ("ro", "rw")]
    return Mount("bind" if is_path(fields[0]) else "volume", fields[0], fields[1], modes[-1:] == ["ro"])


def _options(fields: list[str]) -> list[str]:
    return fields[2].split(",") if len(fields) == 3 else []


_PROPAGATIONS = ("private", "rprivate", "shared", "rshared", "slave", "rslave")


def mount_entry(spec: str) -> dict[str, Any]:
    """The short notation of a volume in the long one."""
    found = mount(spec)
    entry: dict[str, Any] = {"type": found.type, "target": found.target}
    if found.source:
        entry["source"] = found.source
    if found.read_only:
        entry["read_only"] = True
    for option in _options(_split_drives(spec)) if len(spec) > 2 else ():
        if option == "nocopy":
            entry["volume"] = {"nocopy": True}
        elif option in _PROPAGATIONS:
            entry["bind"] = {"propagation": option}
    return entry


def _split_drives(spec: str) -> list[str]:
    """Split at colons, except the one after a single letter (a Windows drive)."""
    fields: list[str] = []
    current = ""
    for char in spec:
        if char == ":" and not (len(current) == 1 and current.isalpha()):
            fields.append(current)
            current = ""
        else:
            current += char
    return [*fields, current]


def is_path(source: str) -> bool:
    windows = len(source) > 1 and source[0].isalpha() and source[1] == ":"
    return source[:1] in (".", "/", "~") or source.startswith("\\\\") or windows


_DURATION = re.compile(r"[-+]?(?:0|(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)")


def check_duration(text: str) -> None:
    if not _DURATION.fullmatch(text):
        raise ValueError(f"'{text}' is no duration; write for instance 30s, 1m30s or 500ms")


_SIZE = re.compile(r"\+?([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)? ?([kmgtp](i?b)?|b)?", re.IGNORECASE)


def check_size(text: str) -> None:
    if not _SIZE.fullmatch(text):
        raise ValueError(f"'{text}' is no size; write for instance 512m or 2g")


def check_cpus(text: str) -> None:
    number = re.fullmatch(r"[-+]?([0-9]{1,20}\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,2})?", text)
    exact = number and Decimal(text).normalize().as_tuple().exponent
    if not isinstance(exact, int) or exact < -9:
        raise ValueError(f"'{text}' is no number of CPUs; write for instance '0.5'")


def split_command(text: str) -> list[str]:
    try:
        return shlex.split(text, comments=True)
    except ValueError as error:
        raise ValueError(f"unbalanced quotes ({str(error).lower()})") from None


_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_DOMAIN_PART = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"(?:{_DOMAIN_PART}(?:\.{_DOMAIN_PART})*|\[(?:[a-fA-F0-9:]+)\])(?::[0-9]+)?"
_IMAGE = re.compile(
    rf"(?P<name>(?:{_DOMAIN}/)?{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?:@(?P<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?"
)


def check_image(image: str) -> None:
    match = _IMAGE.fullmatch(image)
    if match and len(match["name"]) <= 255:
        return
    if image != image.lower() and _IMAGE.fullmatch(image.lower()):
        raise ValueError(f"'{image}' is no image name: repository names are lower case")
    if " " in image:
        raise ValueError(f"'{image}' is no image name: it has a space")
    raise ValueError(f"'{image}' is no image name; write for instance nginx:1.27 or registry.example.org/team/app:2")
