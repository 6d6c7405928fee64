"""What a compose file is called and what is said of it: by a list, by files beside it, or at least by its path."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from platform_manager.catalogs.base import Entry, Logo, Skipped, Version
from platform_manager.catalogs.compose_files import ABOUT, ComposeFile, ComposeFiles, name_of
from platform_manager.catalogs.guesses import title_of
from platform_manager.catalogs.markup import heading, summary
from platform_manager.catalogs.mastermind import NAMES, Mastermind, read_mastermind
from platform_manager.catalogs.portainer import Template
from platform_manager.recipes import ComposeInvalid, Question
from platform_manager.recipes.about import About, read_about

# Folder names that say how a recipe is deployed, not what it is.
_HOW = {
    *("ha", "standalone", "single", "cluster", "docker", "compose", "docker-compose", "swarm", "stack", "stacks"),
    *("deploy", "deployment", "prod", "production", "dev", "development", "src", "latest", "master", "main", "test"),
}
_SHELVES = {"recipes", "stacks", "templates", "apps", "applications", "catalog", "services", "examples", "compose"}
_PREFIXES = ("docker-compose", "docker-stack", "compose", "stack")
_LABEL = "current"


def described(
    files: ComposeFiles, file: ComposeFile, template: Template | None, catalog: str
) -> tuple[Entry, str, list[Skipped]]:
    """The file's entry, what tells it from one of the same title, and what beside it could not be read."""
    main = files.is_main(file)
    about, mastermind, skipped = _beside(files, file.folder) if main else (About(), None, [])
    readme = files.readme_of(file.folder)
    kept, too_many = files.files_of(file)
    version = Version(
        label=_label(about, mastermind),
        compose="" if file.refusal else file.text,
        files={} if file.refusal else kept,
        overlays=files.overlays_of(file) if main and not file.refusal else (),
        questions=_questions(about, mastermind, template),
        refusal=file.refusal,
        readme=readme,
    )
    description = _description(about, mastermind, template)
    title = _title(file, main, about, mastermind, template, readme, catalog)
    entry = Entry(
        key=file.path,
        title=title,
        versions=(version,),
        summary=template.summary if template else summary(description or (readme if main else "")),
        description=description,
        categories=_categories(file, main, about, template, title),
        logo=_logo(files, file, main, template),
        icon=about.icon,
        link=about.link,
        maintainer=about.maintainer,
        license=about.license,
        operators_only=template is not None and template.operators_only,
    )
    return entry, _hint(file, main), [*skipped, *too_many]


def _beside(files: ComposeFiles, folder: str) -> tuple[About, Mastermind | None, list[Skipped]]:
    about, mastermind, skipped = About(), None, []
    for names in (ABOUT, NAMES):
        path, text = files.text_beside(folder, names)
        if not path:
            continue
        try:
            if names is ABOUT:
                about = read_about(text)
            else:
                mastermind = read_mastermind(text)
        except ComposeInvalid as error:
            skipped.append(Skipped(path, str(error)[:1000]))
    return about, mastermind, skipped


def _label(about: About, mastermind: Mastermind | None) -> str:
    return about.version or (mastermind.version if mastermind else "") or _LABEL


def _description(about: About, mastermind: Mastermind | None, template: Template | None) -> str:
    said = (template.description if template else "") or about.description
    said = said or (mastermind.description if mastermind else "")
    return "\n\n".join(part for part in (said, about.notes) if part)


def _questions(about: About, mastermind: Mastermind | None, template: Template | None) -> tuple[Question, ...]:
    sources = [about.questions]
    sources += [mastermind.questions] if mastermind else []
    sources += [template.version.questions] if template else []
    merged: dict[str, Question] = {}
    for question in (question for questions in sources for question in questions):
        earlier = merged.get(question.variable)
        merged[question.variable] = _completed(earlier, question) if earlier else question
    return tuple(merged.values())


def _completed(first: Question, second: Question) -> Question:
    return replace(
        first,
        label=first.label or second.label,
        help=first.help or second.help,
        default=second.default if first.default is None else first.default,
    )


def _title(
    file: ComposeFile,
    main: bool,
    about: About,
    mastermind: Mastermind | None,
    template: Template | None,
    readme: str,
    catalog: str,
) -> str:
    if template is not None:
        return template.title
    if not main:
        return _title_of_file(file, readme, catalog)
    said = heading(readme)
    found = about.title or ("" if said.lower() in _HOW else said)
    return (found or _title_of_folder(file.folder, mastermind) or catalog or "Recipe")[:200]


def _title_of_file(file: ComposeFile, readme: str, catalog: str) -> str:
    """``portainer.yml`` is Portainer; ``docker-compose-addons.yml`` is what its folder is, and Addons."""
    for prefix in _PREFIXES:
        if file.stem.lower().startswith(prefix):
            folder = heading(readme) or _title_of_folder(file.folder, None) or catalog or "Recipe"
            return f"{folder} {title_of(file.stem[len(prefix) :])}".strip()[:200]
    return (title_of(file.stem) or "Recipe")[:200]


def _title_of_folder(folder: str, mastermind: Mastermind | None) -> str:
    if mastermind and mastermind.name:
        return title_of(mastermind.name)
    parts = [part for part in folder.split("/") if part]
    named = next((part for part in reversed(parts) if part.lower() not in _HOW), "")
    if not parts or not named:
        return title_of(parts[-1]) if parts else ""
    return title_of(named) if named == parts[-1] else f"{title_of(named)} ({parts[-1]})"


def _categories(file: ComposeFile, main: bool, about: About, template: Template | None, title: str) -> tuple[str, ...]:
    """The first folder of the path that names a subject, then those that are named; the title is none."""
    folders = file.folder.split("/")
    shelves: Iterable[str] = folders[:-1] if main else folders
    shelf = next((part for part in shelves if part and part.lower() not in _SHELVES | _HOW), "")
    found = [*([title_of(shelf)] if shelf else []), *about.categories, *(template.categories if template else ())]
    return tuple(dict.fromkeys(name for name in found if name.lower() != title.lower()))


def _logo(files: ComposeFiles, file: ComposeFile, main: bool, template: Template | None) -> Logo:
    own = files.logo_of(file.folder) if main else Logo()
    return own if own.data or template is None else template.logo


def _hint(file: ComposeFile, main: bool) -> str:
    parts = [part for part in file.folder.split("/") if part]
    return (parts[-1] if parts else "") if main else name_of(file.path)
