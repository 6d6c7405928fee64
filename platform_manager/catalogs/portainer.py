"""Portainer's template lists: versions 1, 2 and 3, and what awesome-stacks adds to them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from platform_manager.catalogs.base import Logo, Remote, Skipped, Version
from platform_manager.catalogs.containers import compose_of
from platform_manager.catalogs.guesses import kind_of, slug_of
from platform_manager.catalogs.markup import summary
from platform_manager.recipes.about import MOST_CHOICES, MOST_HELP, MOST_QUESTIONS, categories_of, is_variable
from platform_manager.recipes.plain import is_true, items_of, line_of_text, text_of
from platform_manager.recipes.questions import Choice, Question, QuestionKind

MOST_TEMPLATES = 5_000
MOST_TEXT = 20_000
MOST_ADDRESS = 1_000

_KINDS = {"1": "container", "2": "stack", "3": "compose", "4": "edge", "": "container", "swarm": "stack"}
_KIND_WORDS = {"container": "container", "stack": "swarm stack", "compose": "compose file", "edge": "edge stack"}
_ENV_KINDS = {"password": QuestionKind.PASSWORD, "container": QuestionKind.SERVICE, "select": QuestionKind.ENUM}


@dataclass(frozen=True)
class Template:
    """One entry of a list; ``version`` has a ``remote``, a compose file of its own, or a refusal."""

    kind: str
    title: str
    description: str
    categories: tuple[str, ...]
    logo: Logo
    operators_only: bool
    version: Version

    @property
    def key(self) -> str:
        return f"{self.kind}/{slug_of(self.title) or 'template'}"

    @property
    def summary(self) -> str:
        """Lists write plain text, a thought a line."""
        return summary(self.description.partition("\n")[0])

    @property
    def words(self) -> str:
        """What kind of template it is, for people who have two of one title before them."""
        return _KIND_WORDS[self.kind]


def templates_of(data: bytes) -> list[Any] | None:
    """The templates of a list as they stand; None when the file is none."""
    try:
        value = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    found = value.get("templates") if isinstance(value, dict) else value
    if not isinstance(found, list):
        return None
    described = [entry for entry in found if isinstance(entry, dict) and ("title" in entry or "image" in entry)]
    return found if described or (not found and isinstance(value, dict)) else None


def read_list(path: str, data: bytes) -> tuple[list[Template], list[Skipped]]:
    """What a list says; entries that can't be read are named with the reason."""
    found: list[Template] = []
    skipped: list[Skipped] = []
    for index, entry in enumerate((templates_of(data) or [])[:MOST_TEMPLATES]):
        where = f"{path}[{index}]"
        try:
            found.append(_template(entry, where, skipped))
        except ValueError as error:
            skipped.append(Skipped(where, str(error)))
    return found, skipped


def _template(entry: Any, where: str, skipped: list[Skipped]) -> Template:
    if not isinstance(entry, dict):
        raise ValueError("It is no template but something else, and was left out.")
    named = text_of(entry.get("type")).lower()
    kind = _KINDS.get(named, named)
    if kind not in _KIND_WORDS:
        raise ValueError(f"A template of type '{named[:30]}' is not known, so it was left out.")
    title = line_of_text(entry.get("title") or entry.get("name") or entry.get("image"), 200)
    if not title:
        raise ValueError("It has no title and was left out.")
    note = text_of(entry.get("note"))[:MOST_TEXT].strip()
    description = text_of(entry.get("description"))[:MOST_TEXT].strip()
    operators = entry.get("administrator_only", entry.get("administrator-only"))
    return Template(
        kind,
        title,
        "\n\n".join(part for part in (description, note) if part),
        categories_of(entry.get("categories") or []),
        Logo(address=web_address(entry.get("logo"))),
        is_true(operators),
        _version(entry, kind, dict(_questions(entry, f"{where} {title}", skipped))),
    )


def web_address(value: Any) -> str:
    """An address of http or https without a user or password in it; "" for anything else."""
    address = text_of(value).strip()
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return ""
    sound = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
    return address if sound and len(address) <= MOST_ADDRESS else ""


def _version(entry: Mapping[str, Any], kind: str, named: Mapping[str, Question]) -> Version:
    questions = tuple({question.variable: question for question in named.values()}.values())
    if text_of(entry.get("platform")).lower() == "windows":
        return Version("latest", questions=questions, refusal="It is for hosts with Windows; a host here runs Linux.")
    if kind == "container":
        if not text_of(entry.get("image")).strip():
            return Version("latest", refusal="The template names no image, so there is nothing to run.")
        made = compose_of(entry, named)
        return Version(_tag(text_of(entry["image"])), compose=made.compose, questions=questions, notes=made.notes)
    remote = _remote(entry)
    if remote is None:
        return Version("latest", questions=questions, refusal="The template does not say where its compose file lies.")
    return Version(line_of_text(remote.ref, 100) or "latest", questions=questions, remote=remote)


def _tag(image: str) -> str:
    return line_of_text(image.rpartition("/")[2].partition("@")[0].partition(":")[2], 100) or "latest"


def _remote(entry: Mapping[str, Any]) -> Remote | None:
    repository = entry.get("repository")
    if isinstance(repository, dict):
        address, path = web_address(repository.get("url")), _path(repository.get("stackfile")).lstrip("/")
        ref = line_of_text(repository.get("commit") or repository.get("reference"), 200)
        if address:
            return Remote(address, path or "docker-compose.yml", ref)
    stackfile = _path(entry.get("stackfile"))
    if web_address(stackfile):
        return raw_file(stackfile)
    # A path without a repository means the one that the list itself lies in.
    return Remote("", stackfile.lstrip("/")) if stackfile else None


def _path(value: Any) -> str:
    """No file lies at a longer one."""
    return text_of(value).strip()[:MOST_ADDRESS]


def raw_file(address: str) -> Remote | None:
    """The repository behind the address of one raw file of it; None for hosts whose form is not known."""
    parts = urlsplit(address)
    names = [unquote(name) for name in parts.path.strip("/").split("/")]
    if parts.hostname == "raw.githubusercontent.com" and len(names) >= 4:
        owner, repository, *rest = names
        if rest[:2] == ["refs", "heads"] or rest[:2] == ["refs", "tags"]:
            rest = rest[2:]
        return Remote(f"https://github.com/{owner}/{repository}", "/".join(rest[1:]), rest[0]) if rest else None
    if "-" in names and names[names.index("-") + 1 : names.index("-") + 2] == ["raw"]:
        cut = names.index("-")
        if len(names) > cut + 3:
            repository = "/".join(names[:cut])
            return Remote(f"{parts.scheme}://{parts.netloc}/{repository}", "/".join(names[cut + 3 :]), names[cut + 2])
    return None


def _questions(entry: Mapping[str, Any], where: str, skipped: list[Skipped]) -> Iterator[tuple[str, Question]]:
    """The environment by its own names; those that no variable can have are asked for under one near to it."""
    for index, described in enumerate(items_of(entry.get("env"))[:MOST_QUESTIONS]):
        name = text_of(described.get("name")).strip() if isinstance(described, dict) else ""
        if not name:
            skipped.append(Skipped(where[:300], f"Its variable number {index + 1} has no name and was left out."))
            continue
        variable = name if is_variable(name) else slug_of(name).replace("-", "_")
        if not is_variable(variable):
            skipped.append(Skipped(where[:300], f"Its variable '{name[:60]}' can't be named so and was left out."))
            continue
        yield name, _question(variable, described)


def _question(variable: str, entry: Mapping[str, Any]) -> Question:
    choices, chosen = _choices(entry)
    default = next((entry[key] for key in ("set", "default", "value") if entry.get(key) is not None), chosen)
    kind = _ENV_KINDS.get(text_of(entry.get("type")).lower(), kind_of(variable))
    if choices or kind is QuestionKind.ENUM:
        kind = QuestionKind.ENUM if choices else QuestionKind.STRING
    fixed = entry.get("set") is not None or is_true(entry.get("preset")) or is_true(entry.get("disabled"))
    return Question(
        variable,
        kind,
        label=line_of_text(entry.get("label"), 200),
        help=text_of(entry.get("description"))[:MOST_HELP].strip(),
        default=None if default is None else text_of(default)[:MOST_TEXT],
        choices=choices,
        hidden=fixed and default is not None,
    )


def _choices(entry: Mapping[str, Any]) -> tuple[tuple[Choice, ...], str | None]:
    found: list[Choice] = []
    chosen: str | None = None
    for option in items_of(entry.get("select"))[:MOST_CHOICES]:
        if not isinstance(option, dict) or option.get("value") is None:
            continue
        value = text_of(option["value"])
        found.append(Choice(value, line_of_text(option.get("text"), 200) or value))
        if chosen is None and is_true(option.get("default")):
            chosen = value
    return tuple(found), chosen
