"""Names that another stack has already: a stack's name and a service's are joined, so two pairs may give one.

The stack ``a`` with the service ``b_c`` and the stack ``a_b`` with the service ``c`` both want ``a_b_c``. The CLI stops
half way at such a service; a secret or config it takes from the other stack without a word, and a volume is shared.
"""

from collections.abc import Iterator

from platform_manager.recipes.checks import Compose, section
from platform_manager.recipes.facts import EnvironmentFacts

from .findings import Finding, error, warning
from .reading import is_external, services, swarm_name, used

WORDS = {"services": "service", "volumes": "volume", "secrets": "secret", "configs": "config"}


def inspect(value: Compose, facts: EnvironmentFacts) -> Iterator[Finding]:
    """Networks aside, which :mod:`networks` compares with those there are."""
    stack = facts.stack_name
    if not stack:
        return
    for name in services(value):
        full = f"{stack}_{name}"
        owner = facts.owners.get("services", {}).get(full)
        if owner not in (None, stack):
            yield error(("services", name), _message("services", name, full, owner or ""))
    for kind in ("volumes", "secrets", "configs"):
        yield from _objects(value, kind, facts)


def _objects(value: Compose, kind: str, facts: EnvironmentFacts) -> Iterator[Finding]:
    known, mounted = facts.owners.get(kind, {}), set(used(value, "volumes"))
    for key, declared in section(value, kind).items():
        if is_external(declared) or (kind == "volumes" and key not in mounted):
            continue
        full = swarm_name(key, declared, facts.stack_name)
        owner = known.get(full)
        # Volumes without a stack were made for whoever mounts them.
        if owner in (None, facts.stack_name) or (kind == "volumes" and not owner):
            continue
        if kind == "volumes" and declared.get("name"):
            message = (
                f"The volume '{full}' is of the stack '{owner}': this one would share its data. "
                "Choose another name if that is not meant, or write 'external: true' if it is."
            )
            yield warning((kind, key), message)
        else:
            yield error((kind, key), _message(kind, key, full, owner or ""))


def _message(kind: str, key: str, full: str, owner: str) -> str:
    what = WORDS[kind]
    if not owner:
        use = "" if kind == "services" else ", or write 'external: true' to use it"
        message = f"There is a {what} '{full}' already, made without a stack. Rename '{key}', choose another stack name"
        return f"{message}{use}." if use else f"{message}, or remove it."
    theirs = full.removeprefix(f"{owner}_")
    message = f"The {what} '{key}' would be '{full}' on the swarm, which is '{theirs}' of the stack '{owner}'. "
    gone = ", or remove the volume where nobody needs its data" if kind == "volumes" else ""
    return f"{message}Rename '{key}', or choose another stack name{gone}."
