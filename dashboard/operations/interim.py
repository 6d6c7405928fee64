"""INTERIM until the branch compose is merged."""

from types import SimpleNamespace
from typing import Any

import yaml

from platform_manager import recipes


def prepare(recipe: Any, answers: Any, *, mtu: int, stack_name: str, pins: Any, renames: Any) -> Any:
    old = recipes.prepare(recipe, answers, mtu=mtu, stack_name=stack_name)
    text = old.compose
    if pins or renames:
        tree = yaml.safe_load(text)
        for service, image in pins.items():
            if service in tree["services"]:
                tree["services"][service]["image"] = image
        for (kind, key), name in renames.items():
            tree[kind][key]["name"] = name
        text = yaml.safe_dump(tree)
    return SimpleNamespace(compose=text, overlays=(), files=old.files, variables=old.variables)


def exported(recipe: Any, answers: Any, *, secret_names: Any, **more: Any) -> dict[str, bytes]:
    return {"docker-compose.yml": recipe.text.encode(), **recipe.files}
