"""Names of stacks and of what the swarm makes of them."""

import re

from platform_manager.errors import UserError

# A stack name is a DNS label; shorter than the swarm's 63 because every service name is added to it.
MAX_STACK_NAME = 40
MAX_SERVICE_NAME = 63
MAX_NETWORK_NAME = 63
MAX_OBJECT_NAME = 64
MAX_VOLUME_NAME = 255

_STACK = re.compile("[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
# One way only to read each name: of several, a name that does not fit takes hours.
_SERVICE = re.compile("[a-zA-Z0-9](?:[-_]*[A-Za-z0-9])*")
_OBJECT = re.compile("[a-zA-Z0-9](?:[a-zA-Z0-9-_.]*[a-zA-Z0-9])?")
_VOLUME = re.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]+")


def suggest_stack_name(name: str) -> str:
    """The nearest name that is allowed, "" when nothing of it can be kept."""
    mended = re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")
    return mended[:MAX_STACK_NAME].strip("-")


def stack_name_problem(name: str) -> str:
    """Why ``name`` can't name a stack, with a mended one; "" when it can."""
    if _STACK.fullmatch(name) and len(name) <= MAX_STACK_NAME:
        return ""
    if not name:
        return "Give the stack a name."
    suggestion = suggest_stack_name(name)
    hint = f" How about '{suggestion}'?" if suggestion else ""
    if len(name) > MAX_STACK_NAME:
        return f"The stack name is too long: {len(name)} characters, at most {MAX_STACK_NAME}.{hint}"
    return (
        f"'{name[:60]}' can't name a stack: use lower-case letters, digits and '-', "
        f"starting and ending with a letter or digit.{hint}"
    )


def check_stack_name(name: str, *, taken: frozenset[str] | set[str] = frozenset()) -> str:
    """``name`` itself; raises :class:`UserError` on the field ``name`` when it is not allowed or taken."""
    if problem := stack_name_problem(name):
        raise UserError(problem, field="name")
    if name in taken:
        raise UserError(f"There is already a stack named '{name}' here. Choose another name.", "name")
    return name


def service_name_problem(stack: str, service: str) -> str:
    full = f"{stack}_{service}" if stack else service
    if not _SERVICE.fullmatch(service):
        return f"'{service}' can't name a service on a swarm: use letters, digits, '-' and '_' only."
    if len(full) > MAX_SERVICE_NAME:
        return (
            f"'{full}' has {len(full)} characters, a swarm allows {MAX_SERVICE_NAME}. "
            f"Shorten the stack name or the service name by {len(full) - MAX_SERVICE_NAME}."
        )
    return ""


def object_name_problem(kind: str, name: str) -> str:
    """Why ``name`` can't name one of ``kind`` (networks, volumes, configs or secrets) on a swarm; "" when it can."""
    what, shape, most = {
        "networks": ("a network", _SERVICE, MAX_NETWORK_NAME),
        "volumes": ("a volume", _VOLUME, MAX_VOLUME_NAME),
        "configs": ("a config", _OBJECT, MAX_OBJECT_NAME),
        "secrets": ("a secret", _OBJECT, MAX_OBJECT_NAME),
    }[kind]
    # Each host fills in its own: what comes of it is not known here.
    if kind == "volumes" and "{{" in name:
        return ""
    if len(name) > most:
        return f"'{name[:80]}' has {len(name)} characters, at most {most} go. Shorten it by {len(name) - most}."
    if not shape.fullmatch(name):
        marks = "'-' and '_'" if kind == "networks" else "'-', '_' and '.'"
        least = "two or more " if kind == "volumes" else ""
        return f"'{name}' can't name {what} on a swarm: use {least}letters, digits, {marks}, and a letter first."
    return ""
