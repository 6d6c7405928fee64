"""Go's ``text/template`` with the functions that Rancher catalogs use, for hostile text and bounded in all it does.

What it doesn't know it refuses, with the line: half a compose file would be worse than none.
"""

from collections.abc import Mapping
from typing import Any

from platform_manager.catalogs.rancher.gotemplate.errors import MAX_OUTPUT, TemplateRefused
from platform_manager.catalogs.rancher.gotemplate.evaluator import evaluate
from platform_manager.catalogs.rancher.gotemplate.parser import parse
from platform_manager.catalogs.rancher.gotemplate.values import Secret

__all__ = ["MAX_OUTPUT", "Secret", "TemplateRefused", "execute"]


def execute(text: str, data: Mapping[str, Any]) -> str:
    """``data`` is made of str, int, float, bool, None, list and dict; raises :class:`TemplateRefused`."""
    if len(text) > MAX_OUTPUT:
        raise TemplateRefused(f"it is larger than {MAX_OUTPUT // 1024} KiB")
    return evaluate(parse(text), data)
