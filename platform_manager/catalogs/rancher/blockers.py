"""What a stack for Rancher may ask for that no swarm gives."""

import re
from collections.abc import Iterator

from platform_manager.catalogs.rancher.draft import Blocked, Draft, Service
from platform_manager.catalogs.rancher.trees import plain, texts

_METADATA_IMAGES = re.compile(r"(?:^|/)(?:rancher/[\w.-]*-conf(?:ig)?|rancher-cattle-metadata|giddyup)(?::|$)")
_HOSTS_THINGS = {
    "pid": "shares the processes of its host",
    "ipc": "shares the memory of its host",
    "uts": "shares the name of its host",
}


def check(draft: Draft, service: Service) -> None:
    """Raises :class:`Blocked` for the first thing that can't be had."""
    for reason in _reasons(draft, service):
        raise Blocked(f"The service '{service.name}' {reason}")


def _reasons(draft: Draft, service: Service) -> Iterator[str]:
    yield from _rancher(service)
    yield from _links_outside(draft, service)
    yield from _things_of_the_host(draft, service)
    yield from _other_files(service)


def _rancher(service: Service) -> Iterator[str]:
    is_agent = service.rancher_label("container.create_agent").lower() == "true"
    if is_agent or service.rancher_label("container.agent.role"):
        yield (
            "uses the API of Rancher (label io.rancher.container.create_agent), which does not exist here. "
            "Look for a recipe of the program that does without."
        )
    yield from _metadata(service)


def _links_outside(draft: Draft, service: Service) -> Iterator[str]:
    source = service.source
    if found := texts(source.get("external_links")):
        yield (
            f"links to '{found[0]}' of another stack (external_links), which a swarm does not know. "
            "Put both services in one stack, or join them by an external network."
        )
    if service.extras.get("external_ips") or service.image.startswith("rancher/external-service"):
        yield (
            "only gives a name to something outside (rancher/external-service). "
            "Enter that address in the services that use it."
        )
    yield from _shared_with_containers(draft, service)


def _things_of_the_host(draft: Draft, service: Service) -> Iterator[str]:
    source = service.source
    if draft.resolved(source.get("privileged")).lower() == "true":
        yield "is privileged, which no task of a swarm can be. Run it on its host outside of the swarm."
    for key, why in _HOSTS_THINGS.items():
        if draft.resolved(source.get(key)) not in ("", "private", "shareable"):
            yield f"{why} ({key}: {plain(source[key])}), which no task of a swarm can. Run it outside of the swarm."
    if found := texts(source.get("devices")):
        yield f"needs the device '{found[0]}' (devices), and a swarm gives none. Run it outside of the swarm."


def _other_files(service: Service) -> Iterator[str]:
    source = service.source
    for key, remedy in (("extends", "copy the keys of that service"), ("env_file", "write them under 'environment'")):
        if source.get(key):
            yield f"reads another file ({key}), which is not part of the recipe. Mend the recipe: {remedy}."
    if not service.image:
        built = " A swarm builds none: push one to a registry." if source.get("build") else ""
        yield f"names no image.{built or ' Mend the recipe: add it under image.'}"


def _metadata(service: Service) -> Iterator[str]:
    words = (
        "reads its settings from the metadata service of Rancher ({}), which does not exist here. "
        "Look for a recipe with an image that reads environment variables."
    )
    if service.extras.get("metadata"):
        yield words.format("metadata in rancher-compose.yml")
    elif _METADATA_IMAGES.search(service.image):
        yield words.format(f"image {service.image}")
    else:
        for key in ("command", "entrypoint", "environment"):
            if "rancher-metadata" in str(service.source.get(key)) or "giddyup" in str(service.source.get(key)):
                yield words.format(key)


def _shared_with_containers(draft: Draft, service: Service) -> Iterator[str]:
    for key in ("net", "network_mode"):
        value = draft.resolved(service.source.get(key))
        if value.startswith(("container:", "service:")):
            yield (
                f"shares the network of '{value.partition(':')[2]}' ({key}: {value}): both would have to be one "
                "container, which a swarm can't promise. Look for an image that holds both programs."
            )
