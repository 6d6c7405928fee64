"""The plan of a deployment, for ``stacks/_plan.html``: made now, or the text that a revision keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dashboard.flows.plans import plan_now
from dashboard.flows.stacks import Wish
from dashboard.models import Environment, Revision
from platform_manager.errors import PlatformError
from platform_manager.swarm.plan import Plan


def plan_context(environment: Environment, wish: Wish, *, updating: bool) -> dict[str, Any]:
    """``plan`` (or None) and ``plan_problem``, a sentence where there is none."""
    plan, problem = plan_now(environment, wish, updating=updating)
    return {"plan": plan, "plan_problem": problem}


def asked_plan(plan: Callable[[], Plan]) -> dict[str, Any]:
    """The same of what ``plan`` makes, or of the sentence on why it can't."""
    try:
        return {"plan": plan(), "plan_problem": ""}
    except PlatformError as error:
        return {"plan": None, "plan_problem": str(error)}


def stored_plan(revision: Revision) -> dict[str, Any]:
    """``plan_text`` as the revision was planned."""
    return {"plan_text": revision.plan}
