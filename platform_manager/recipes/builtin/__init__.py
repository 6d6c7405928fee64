"""Recipes that come with the platform; each is a folder with a compose file and ``recipe.yml``."""

from dataclasses import dataclass
from pathlib import Path

from platform_manager.recipes.about import read_about
from platform_manager.recipes.questions import Question
from platform_manager.recipes.recipe import Recipe, parse

_HERE = Path(__file__).parent
_OWN_FILES = ("docker-compose.yml", "recipe.yml")


@dataclass(frozen=True)
class BuiltinRecipe:
    """``icon`` is the name of a Tabler icon, ``notes`` plain text."""

    name: str
    title: str
    description: str
    icon: str
    notes: str
    compose: str
    files: dict[str, bytes]
    categories: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()

    def recipe(self) -> Recipe:
        return parse(self.compose, self.files)


def builtin() -> list[BuiltinRecipe]:
    """All built-in recipes, by title."""
    folders = (path.parent for path in _HERE.glob("*/recipe.yml"))
    return sorted((_read(folder) for folder in folders), key=lambda recipe: recipe.title)


def _read(folder: Path) -> BuiltinRecipe:
    about = read_about((folder / "recipe.yml").read_text())
    names = (path for path in sorted(folder.rglob("*")) if path.is_file())
    files = {str(path.relative_to(folder)): path.read_bytes() for path in names}
    return BuiltinRecipe(
        name=folder.name,
        title=about.title,
        description=about.description,
        icon=about.icon or "package",
        notes=about.notes,
        compose=files["docker-compose.yml"].decode(),
        files={name: data for name, data in files.items() if name not in _OWN_FILES},
        categories=about.categories,
        questions=about.questions,
    )
