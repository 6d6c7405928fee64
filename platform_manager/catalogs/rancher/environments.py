"""Environment templates of Rancher: which stacks an environment starts with. They are no recipes."""

from platform_manager.catalogs.base import Skipped
from platform_manager.catalogs.rancher.folders import Folder, first_of
from platform_manager.catalogs.rancher.trees import plain, read_tree
from platform_manager.recipes.problems import ComposeInvalid

_SHOWN = 10


def skipped_environment(folder: Folder) -> Skipped:
    stacks = [name for name in _stacks(folder) if name]
    more = f" and {len(stacks) - _SHOWN} more" if len(stacks) > _SHOWN else ""
    named = f" with the stacks {', '.join(stacks[:_SHOWN])}{more}" if stacks else ""
    return Skipped(
        folder.path,
        f"It is an environment template of Rancher{named}, and no recipe. Make a template of environments instead.",
    )


def _stacks(folder: Folder) -> list[str]:
    newest = folder.versions[max(folder.versions)]
    try:
        tree = read_tree(first_of(newest, ("project.yml", "project.yaml"))[1])
    except ComposeInvalid:
        return []
    listed = tree.get("stacks")
    stacks = listed if isinstance(listed, list) else []
    return [plain(stack.get("name"))[:60] for stack in stacks if isinstance(stack, dict)]
