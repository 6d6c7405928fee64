"""A recipe: one compose file with the files it refers to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from platform_manager.recipes.document import Document, read
from platform_manager.recipes.interpolation import Variable, dollars, find_variables, texts
from platform_manager.recipes.problems import ComposeInvalid, Path, Problem, Severity, dotted
from platform_manager.recipes.schema import NEWEST, OLDEST
from platform_manager.recipes.words import FORBIDDEN


@dataclass(frozen=True)
class Recipe:
    """``files`` maps paths relative to the compose file ("conf/app.json") to their content.

    ``overlays`` are compose files merged over the first, by name, in order.
    """

    document: Document
    files: Mapping[str, bytes] = field(default_factory=dict)
    overlays: tuple[tuple[str, Document], ...] = ()

    @property
    def documents(self) -> list[Document]:
        """The first file and its overlays, in the order of merging."""
        return [self.document, *(document for _, document in self.overlays)]

    @property
    def text(self) -> str:
        return self.document.text

    @property
    def value(self) -> dict[str, Any]:
        return self.document.value

    def problem(self, severity: Severity, path: Path, message: str, offer: str = "") -> Problem:
        return problem_in(self.document, severity, path, message, offer)


def parse(text: str, files: Mapping[str, bytes] | None = None, *, overlays: Iterable[tuple[str, str]] = ()) -> Recipe:
    """Read compose text; raises :class:`ComposeInvalid` for what no answer to any question could mend.

    ``overlays`` are (name, text) of compose files to be merged over it.
    """
    own = {clean_path(name): data for name, data in (files or {}).items()}
    recipe = Recipe(read(text), own, tuple((name, _read_overlay(name, more)) for name, more in overlays))
    problems = [*_shape_problems(recipe.document), *_late_problems(recipe.document)]
    for name, document in recipe.overlays:
        found = _overlay_problems(document, recipe.value) or _late_problems(document)
        problems += [of_overlay(name, problem) for problem in found]
    if problems:
        raise ComposeInvalid(problems)
    return recipe


def _read_overlay(name: str, text: str) -> Document:
    try:
        return read(text)
    except ComposeInvalid as invalid:
        raise ComposeInvalid([of_overlay(name, problem) for problem in invalid.problems]) from None


def of_overlay(name: str, problem: Problem) -> Problem:
    """A problem of an overlay: its own line goes into the message, for lines count in the first file."""
    place = f"{name}, line {problem.line}" if problem.line else name
    return replace(problem, line=0, message=f"{place}: {problem.message}")


def variables(recipe: Recipe) -> list[Variable]:
    """The questions the file and its overlays ask, in order of appearance."""
    return find_variables(*(document.value for document in recipe.documents))


def clean_path(path: str) -> str:
    """``./conf/../conf/a`` as ``conf/a``; a path that leaves the recipe keeps its leading ``..`` or ``/``."""
    parts: list[str] = []
    for part in PurePosixPath(path).parts:
        if part == ".." and parts and parts[-1] not in ("..", "/"):
            parts.pop()
        else:
            parts.append(part)
    return str(PurePosixPath(*parts))


def leaves_recipe(path: str) -> bool:
    return path.startswith(("/", "~", "\\")) or clean_path(path).startswith("..") or path[1:2] == ":"


_MINORS = {str(minor): minor for minor in range(OLDEST, NEWEST + 1)}


def version_of(value: Mapping[str, Any]) -> int | None:
    """The minor number of compose version 3; None for a version the swarm does not take."""
    version = value.get("version", "")
    if version in ("", "3"):
        return NEWEST
    major, _, minor = str(version).partition(".")
    return _MINORS.get(minor) if major == "3" else None


def problem_in(document: Document, severity: Severity, path: Path, message: str, offer: str = "") -> Problem:
    return Problem(severity, dotted(path), document.line(path), message, offer)


def _error(document: Document, path: Path, message: str) -> list[Problem]:
    return [problem_in(document, Severity.ERROR, path, message)]


def _shape_problems(document: Document) -> list[Problem]:
    value = document.value
    services = value.get("services")
    if "services" not in value and any(isinstance(v, dict) and {"image", "build"} & set(v) for v in value.values()):
        return _error(
            document,
            (),
            "This is a compose file of version 1, which a swarm does not take. Move the services under a "
            "'services:' key, write version: '3.8' and replace links and volumes_from.",
        )
    if problems := _version_problems(document):
        return problems
    if not isinstance(services, dict):
        path: Path = ("services",) if "services" in value else ()
        return _error(document, path, "There is no 'services:' section with services.")
    if not services:
        message = "The file has no services: there is nothing to deploy. Add one under 'services:'."
        return _error(document, ("services",), message)
    return []


def _version_problems(document: Document) -> list[Problem]:
    version = document.value.get("version")
    if version is not None and not isinstance(version, str):
        message = f"version must be text. Put it in quotes: version: '{version}'."
        return _error(document, ("version",), message)
    if version and version_of(document.value) is None:
        return _error(document, ("version",), _version_words(version))
    return []


def _overlay_problems(document: Document, first: Mapping[str, Any]) -> list[Problem]:
    if problems := _version_problems(document):
        return problems
    if version_of(document.value) != version_of(first):
        known = first.get("version") or "none"
        message = f"The compose version of merged files must be one: write that of the first file here ({known})."
        return _error(document, ("version",), message)
    if "services" in document.value and not isinstance(document.value["services"], dict):
        return _error(document, ("services",), "services must be a mapping. Remove the line if there are none.")
    return []


def _late_problems(document: Document) -> list[Problem]:
    return [*_forbidden(document), *_dollar_problems(document)]


def _version_words(version: str) -> str:
    if "$" in version:
        return "The compose version can't come from a variable. Write it out: version: '3.8'."
    if version.partition(".")[0] in ("1", "2"):
        return (
            f"This is a compose file of version {version}, which a swarm does not take. Write version: '3.8' "
            "and move limits, restart and scale under 'deploy'."
        )
    return f"Compose version '{version[:20]}' does not exist for a swarm. Write version: '3.8'."


def _forbidden(document: Document) -> list[Problem]:
    found = []
    services = document.value.get("services")
    for name, service in services.items() if isinstance(services, dict) else ():
        for key in service if isinstance(service, dict) else ():
            if key in FORBIDDEN:
                message = f"services.{name}.{key}: a stack can't have '{key}': {FORBIDDEN[key]}."
                found.append(problem_in(document, Severity.ERROR, ("services", name, key), message))
    return found


def _dollar_problems(document: Document) -> list[Problem]:
    """A broken ``$`` that the CLI trips over whatever the answers are."""
    found = []
    for path, text in texts(document.value):
        last = next((match for match in reversed(list(dollars(text))) if not match["escaped"]), None)
        if last and last["invalid"] is not None:
            message = f"{dotted(path)}: '{text[:80]}' has a stray '$'. Write '$$' for a dollar sign."
            found.append(problem_in(document, Severity.ERROR, path, message))
    return found
