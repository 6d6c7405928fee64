"""A plan told afterwards: what a deployment did, from what the swarm held before and what it holds now.

Made as a plan is, out of the orders that lead from the one to the other. So it says the same as a plan made before,
and images with the digests that were resolved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from platform_manager.engines.rehearsal import Before, Given, Recorded, Rehearsal

from .held import Held
from .plan import Plan
from .plan_making import DIGESTS, Masks, planned
from .snapshot import STACK_LABEL, Json, mapping, number, part, text

__all__ = ["owned", "recorded"]


def recorded(
    before: Held,
    now: Held,
    networks: Iterable[Json],
    stack: str,
    *,
    given: Given | None = None,
    wished_volumes: Iterable[str] = (),
    volumes: Iterable[str] = (),
    masks: Masks | None = None,
) -> Plan:
    """What was done; ``networks`` are all of the swarm by now, ``given`` and ``wished_volumes`` what was made first.

    ``volumes`` are those the hosts had.
    """
    there = {text(one.get("Id"), 64) for one in before["networks"]}
    made = [one for one in now["networks"] if text(one.get("Id"), 64) not in there]
    new = {text(one.get("Id"), 64) for one in made}
    known = [*before["networks"], *(one for one in networks if text(one.get("Id"), 64) not in new | there)]
    rehearsal = Rehearsal(
        tuple(_orders(before, now)),
        # Not compared with anything: they tell the names that services call by ids.
        tuple(made),
        "",
        0,
        Before(list(before["services"]), known, list(before["secrets"]), list(before["configs"])),
    )
    plan = planned(
        rehearsal,
        stack,
        given=given,
        wished_volumes=wished_volumes,
        volumes=volumes,
        masks=masks,
        secrets_compared=True,
    )
    return replace(plan, notes=tuple(note for note in plan.notes if note != DIGESTS))


def owned(before: Before, stack: str) -> dict[str, list[Json]]:
    """What of a rehearsal's swarm is the stack's, as :func:`platform_manager.swarm.held.read` would give it."""
    kinds = {
        "networks": before.networks,
        "secrets": before.secrets,
        "configs": before.configs,
        "services": before.services,
    }
    return {kind: [one for one in found if _labels(one).get(STACK_LABEL) == stack] for kind, found in kinds.items()}


def _orders(before: Held, now: Held) -> Iterator[Recorded]:
    for kind in ("networks", "secrets", "configs", "services"):
        earlier = {_name(one): one for one in before[kind]}
        for one in now[kind]:
            was = earlier.get(_name(one))
            body = one if kind == "networks" else mapping(one.get("Spec"))
            if was is None:
                yield Recorded("POST", f"/{kind}/create", body)
            elif kind != "networks" and (kind == "services" or _written(was, one)):
                yield Recorded("POST", f"/{kind}/{text(was.get('ID'), 64)}/update", body)
    left = {_name(one) for one in now["services"]}
    for one in before["services"]:
        if _name(one) not in left:
            yield Recorded("DELETE", f"/services/{text(one.get('ID'), 64)}", {})


def _written(before: Json, now: Json) -> bool:
    """A deployment writes again each secret and config that it still uses, and the swarm counts that."""
    return [before.get("ID"), number(part(before, "Version", "Index"))] != [
        now.get("ID"),
        number(part(now, "Version", "Index")),
    ]


def _labels(one: Json) -> Json:
    return mapping(part(one, "Spec", "Labels") or one.get("Labels"))


def _name(one: Json) -> str:
    return text(part(one, "Spec", "Name") or one.get("Name"), 255)
