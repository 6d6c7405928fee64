"""Stacks for Rancher's cattle (compose 1 and 2 with rancher-compose.yml) written anew as compose 3.8 for a swarm."""

from collections.abc import Mapping
from dataclasses import dataclass

from platform_manager.catalogs.rancher import balancers, blockers, keys, naming, scheduling, sidekicks, storage
from platform_manager.catalogs.rancher.draft import Blocked, Draft, begin
from platform_manager.catalogs.rancher.trees import Tree, plain, read_tree, write_tree
from platform_manager.recipes.problems import ComposeInvalid
from platform_manager.recipes.recipe import parse

_MAX_SERVICES = 300
_MAX_NOTES = 300
_SENTENCE = 600


@dataclass(frozen=True)
class Converted:
    """``compose`` is "" where ``refusal`` says why there is none; ``notes`` say what was dropped or written anew."""

    compose: str = ""
    notes: tuple[str, ...] = ()
    refusal: str = ""


def convert(compose: str, rancher: str, answers: Mapping[str, str]) -> Converted:
    """``answers`` decide where the file's form depends on them; variables stay variables in the new file."""
    try:
        tree = read_tree(compose)
    except ComposeInvalid as error:
        return Converted(refusal=_sentence(f"The compose file can't be read. {error}"))
    if isinstance(tree.get("services"), dict) and plain(tree.get("version")).startswith("3"):
        return _checked(Converted(compose))
    try:
        described = read_tree(rancher) if rancher.strip() else {}
    except ComposeInvalid as error:
        return Converted(refusal=_sentence(f"rancher-compose.yml can't be read. {error}"))
    try:
        draft = begin(tree, described, answers)
        made = _convert(draft)
    except Blocked as reason:
        return Converted(refusal=_sentence(str(reason)))
    return _checked(Converted(write_tree(made), tuple(map(_sentence, draft.notes[:_MAX_NOTES]))))


def _sentence(text: str) -> str:
    return text if text.endswith(".") and len(text) <= _SENTENCE else f"{text[:_SENTENCE]}."


def _checked(converted: Converted) -> Converted:
    """Refused where no answer could mend the new file."""
    try:
        parse(converted.compose)
    except ComposeInvalid as error:
        return Converted(refusal=_sentence(f"The compose file can't be used. {error}"))
    return converted


def _convert(draft: Draft) -> Tree:
    if not draft.services:
        raise Blocked("The compose file has no services: there is nothing to deploy.")
    if len(draft.services) > _MAX_SERVICES:
        raise Blocked(f"The compose file has more than {_MAX_SERVICES} services. Split it into several recipes.")
    naming.keep_inside(draft)
    sidekicks.settle(draft)
    balancers.settle(draft)
    for service in draft.services.values():
        blockers.check(draft, service)
    naming.settle(draft)
    if not draft.services:
        raise Blocked("Nothing is left to deploy: the recipe only has services that a swarm does itself.")
    for service in draft.services.values():
        naming.attach(draft, service)
        scheduling.settle(draft, service)
        storage.attach(draft, service)
        keys.convert(draft, service)
    made: Tree = {"version": "3.8", "services": {name: item.made for name, item in draft.services.items()}}
    others = {"networks": draft.made_networks, "volumes": draft.made_volumes, "secrets": storage.secrets(draft)}
    return {**made, **{key: value for key, value in others.items() if value}}
