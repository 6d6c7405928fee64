"""A folder of a Rancher catalog as an entry with its versions."""

import re
from dataclasses import replace

from platform_manager.catalogs.base import Entry, Logo, Skipped, Version
from platform_manager.catalogs.rancher.folders import Folder, config_of, first_of
from platform_manager.catalogs.rancher.questions import Section, field_of
from platform_manager.catalogs.rancher.template import STORED_AS, Template, render, section_of, stored
from platform_manager.catalogs.rancher.trees import Tree, plain, read_tree
from platform_manager.recipes.problems import ComposeInvalid

_MAX_LOGO = 512 * 1024
_MAX_VERSIONS = 100
_MAX_README = 200_000
_LABEL = 100
_OTHERS = {
    "mesos": "It is for environments of Rancher that run Mesos, and this platform runs Docker Swarm.",
    "kubernetes": "It is for environments of Rancher that run Kubernetes, and this platform runs Docker Swarm.",
    "machine": "It is a driver with which Rancher makes machines, and nothing to deploy.",
    "windows": "It is for environments of Rancher with Windows hosts, and hosts here run Linux.",
}
_COMPOSE = ("docker-compose.yml.tpl", "docker-compose.yaml.tpl", "docker-compose.yml", "docker-compose.yaml")
_RANCHER = ("rancher-compose.yml", "rancher-compose.yaml", "rancher-compose.yml.tpl", "rancher-compose.yaml.tpl")


def entry_of(folder: Folder) -> tuple[Entry, list[Skipped]]:
    """Whatever the folder holds: what is broken becomes a refusal or a line of what was skipped."""
    skipped: list[Skipped] = []
    config = _config(folder, skipped)
    numbers = sorted(folder.versions, reverse=True)[:_MAX_VERSIONS]
    if len(folder.versions) > _MAX_VERSIONS:
        skipped.append(Skipped(folder.path, f"Only its newest {_MAX_VERSIONS} versions were read."))
    found = [_version(folder, number, skipped) for number in numbers]
    versions = _with_unique_labels([version for version, _ in found], numbers)
    sections = [section for _, section in found]
    title = plain(field_of(config, "name")).strip() or next((s.name.strip() for s in sections if s.name.strip()), "")
    description = plain(field_of(config, "description")).strip() or sections[0].description.strip()
    entry = Entry(
        folder.key or _slug(title),
        (title or folder.name or "Recipe")[:200],
        versions,
        summary=next((line.strip() for line in description.splitlines() if line.strip()), "")[:300],
        description=description,
        categories=_categories(field_of(config, "category")),
        logo=_logo(folder, skipped),
        link=_link(plain(field_of(config, "projectURL") or field_of(config, "project_url"))),
        maintainer=plain(field_of(config, "maintainer")).strip()[:200],
        license=plain(field_of(config, "license")).strip()[:100],
        preferred=_preferred(plain(field_of(config, "version")), sections, versions),
    )
    return entry, skipped


def _config(folder: Folder, skipped: list[Skipped]) -> Tree:
    text = config_of(folder)
    try:
        return read_tree(text) if text.strip() else {}
    except ComposeInvalid as error:
        skipped.append(Skipped(f"{folder.path}/config.yml".lstrip("/"), f"It can't be read and was left out. {error}"))
        return {}


def _version(folder: Folder, number: int, skipped: list[Skipped]) -> tuple[Version, Section]:
    files = folder.versions[number]
    compose_name, compose = first_of(files, _COMPOSE)
    rancher_name, rancher = first_of(files, _RANCHER)
    template = Template(compose, rancher, compose_name.endswith(".tpl"), rancher_name.endswith(".tpl"))
    section = section_of(template)
    place = f"{folder.path}/{number}/{rancher_name}".lstrip("/")
    skipped += [Skipped(place, problem) for problem in section.problems]
    readme = first_of(files, ("readme.md",))[1] or first_of(folder.files, ("readme.md",))[1]
    version = Version(
        section.version.strip()[:_LABEL] or str(number), questions=section.questions, readme=readme[:_MAX_README]
    )
    if refusal := _refusal(folder, compose_name):
        return replace(version, refusal=refusal), section
    # The stack has no name yet: it is filled in like any other variable.
    converted = render(template, {}, stack_name="${STACK_NAME}")
    kept = {STORED_AS: stored(template)}
    return (
        replace(version, compose=converted.compose, files=kept, notes=converted.notes, refusal=converted.refusal),
        section,
    )


def _refusal(folder: Folder, compose_name: str) -> str:
    kind = "windows" if folder.name.startswith("windows") else folder.base
    if kind in _OTHERS:
        return _OTHERS[kind]
    return "" if compose_name else "This version has no docker-compose.yml. Mend it in the catalog."


def _with_unique_labels(versions: list[Version], numbers: list[int]) -> tuple[Version, ...]:
    """Of versions with the same label, the newest keeps it and others get their number added."""
    seen: set[str] = set()
    unique = []
    for version, number in zip(versions, numbers, strict=True):
        label, tries = version.label, 0
        while label in seen:
            tries += 1
            label = f"{version.label[: _LABEL - 30]} ({number}{f'-{tries}' if tries > 1 else ''})"
        seen.add(label)
        unique.append(replace(version, label=label))
    return tuple(unique)


def _preferred(wanted: str, sections: list[Section], versions: tuple[Version, ...]) -> str:
    pairs = zip(sections, versions, strict=True)
    return next((version.label for section, version in pairs if wanted and section.version == wanted), "")


def _categories(value: object) -> tuple[str, ...]:
    found = value if isinstance(value, list) else plain(value).split(",")
    return tuple(dict.fromkeys(text for text in (plain(item).strip() for item in found) if text))


def _logo(folder: Folder, skipped: list[Skipped]) -> Logo:
    for name in sorted(folder.files):
        if name.lower().startswith("catalogicon"):
            if len(folder.files[name]) <= _MAX_LOGO:
                return Logo(folder.files[name])
            path = f"{folder.path}/{name}".lstrip("/")
            skipped.append(Skipped(path, f"The logo is larger than {_MAX_LOGO // 1024} KiB and was left out."))
    return Logo()


def _link(text: str) -> str:
    text = text.strip()
    return text if text.startswith(("http://", "https://")) and len(text) <= 500 else ""


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "recipe"
