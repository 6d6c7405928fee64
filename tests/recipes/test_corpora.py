"""Recipes from the wild, where they are at hand, and ours: what is handed to the CLI means what they mean."""

from pathlib import Path

import pytest
from oracle import understood

from platform_manager.recipes import ComposeInvalid, parse, prepare, variables

ROOT = Path(__file__).parents[2]
# A folder shared/data near the checkout may hold clones of public catalogs.
CORPORA = (
    ROOT / "platform_manager/recipes/builtin",
    *(folder / "shared/data" for folder in ROOT.parents if (folder / "shared/data").is_dir()),
)
FOUND = sorted(
    path for corpus in CORPORA for pattern in ("docker-compose*.y*ml", "*.yml.tpl") for path in corpus.rglob(pattern)
)


def named(path: Path) -> str:
    return "/".join(path.parts[-4:])


@pytest.mark.parametrize("path", FOUND, ids=named)
def test_a_recipe_means_the_same_to_the_cli(path: Path, tmp_path: Path) -> None:
    near = [file for file in path.parent.rglob("*") if file.is_file() and file != path and file.stat().st_size < 2**20]
    files = {str(file.relative_to(path.parent)): file.read_bytes() for file in near}
    text = path.read_bytes().decode(errors="replace")
    provided = {"STACK_NAME": "shop", "DOCKER_MTU": "1400"}
    try:
        recipe = parse(text, files)
    except ComposeInvalid:
        assert understood(tmp_path, [text], provided, files) is None
        return
    asked = [found.name for found in variables(recipe) if found.name not in provided and found.default is None]
    for answers in ({}, {name: str(8100 + n) for n, name in enumerate(asked)}):
        wanted = understood(tmp_path, [text], {**provided, **answers}, files)
        try:
            ready = prepare(recipe, answers, mtu=1400, stack_name="shop")
        except ComposeInvalid as invalid:
            # A file that is missing is found by the CLI on deploying only.
            assert wanted is None or "has no file" in str(invalid)
            continue
        assert understood(tmp_path, [ready.compose], {}, ready.files) == wanted
