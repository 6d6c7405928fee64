"""Recipes: reading compose files, their questions, what stands against deploying them, and what to deploy."""

from platform_manager.recipes.builtin import BuiltinRecipe, builtin
from platform_manager.recipes.dotenv import parse_env
from platform_manager.recipes.export import exported
from platform_manager.recipes.facts import EnvironmentFacts, Held, HostFacts, without_stack
from platform_manager.recipes.interpolation import SubstitutionError, Variable, interpolate
from platform_manager.recipes.merging import merged
from platform_manager.recipes.names import check_stack_name, stack_name_problem, suggest_stack_name
from platform_manager.recipes.prepare import Prepared, prepare
from platform_manager.recipes.preview import (
    NetworkPreview,
    ObjectPreview,
    Preview,
    ServicePreview,
    preview,
)
from platform_manager.recipes.problems import Asked, ComposeInvalid, Danger, Problem, Severity
from platform_manager.recipes.questions import Choice, Question, QuestionKind, question_of, united
from platform_manager.recipes.recipe import Recipe, parse, variables
from platform_manager.recipes.shorthand import Port

__all__ = [
    "Asked",
    "BuiltinRecipe",
    "Choice",
    "ComposeInvalid",
    "Danger",
    "EnvironmentFacts",
    "Held",
    "HostFacts",
    "NetworkPreview",
    "ObjectPreview",
    "Port",
    "Prepared",
    "Preview",
    "Problem",
    "Question",
    "QuestionKind",
    "Recipe",
    "ServicePreview",
    "Severity",
    "SubstitutionError",
    "Variable",
    "builtin",
    "check_stack_name",
    "exported",
    "interpolate",
    "merged",
    "parse",
    "parse_env",
    "prepare",
    "preview",
    "question_of",
    "stack_name_problem",
    "suggest_stack_name",
    "united",
    "variables",
    "without_stack",
]
