"""A version's files as Rancher has them, kept so that they can be rendered and converted anew for every answer."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from platform_manager.catalogs.rancher.conversion import Converted, convert
from platform_manager.catalogs.rancher.gotemplate import Secret, TemplateRefused, execute
from platform_manager.catalogs.rancher.questions import Section, defaults, questions_of
from platform_manager.recipes.questions import Question, QuestionKind

# Among the files of a version; no compose file can name it without being noticed.
STORED_AS = ".rancher.json"

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MENTIONED = re.compile(r"\.Values\.([A-Za-z_]\w*)|\$\{?([A-Za-z_]\w*)")


@dataclass(frozen=True)
class Template:
    """``templated`` and ``rancher_templated`` say of each file whether it is a template of Go's."""

    compose: str
    rancher: str = ""
    templated: bool = False
    rancher_templated: bool = False

    def as_dict(self) -> dict[str, Any]:
        """As JSON takes it; :func:`template_of` reads it back."""
        return asdict(self)


def template_of(stored: Mapping[str, Any]) -> Template:
    return Template(
        str(stored.get("compose", "")),
        str(stored.get("rancher", "")),
        stored.get("templated") is True,
        stored.get("rancher_templated") is True,
    )


def stored(template: Template) -> bytes:
    return json.dumps(template.as_dict(), ensure_ascii=False).encode()


def from_files(files: Mapping[str, bytes]) -> Template | None:
    """The template among a version's files; None where the version is none of Rancher's."""
    if STORED_AS not in files:
        return None
    try:
        found = json.loads(files[STORED_AS])
    except ValueError:
        return None
    return template_of(found) if isinstance(found, dict) else None


def render(template: Template, answers: Mapping[str, str], *, stack_name: str) -> Converted:
    """The compose file for these answers; a question that has none in ``answers`` is answered by its default.

    An answer that is there and blank stays blank: templates tell the two apart.
    """
    given = dict(answers)
    try:
        rancher = _rendered(template.rancher, template.rancher_templated, given, stack_name)
        questions = questions_of(rancher).questions
        given = {**defaults(questions), **given}
        values = {**given, **_secrets(questions, given)}
        if template.rancher_templated:
            rancher = _rendered(template.rancher, True, values, stack_name)
        compose = _rendered(template.compose, template.templated, values, stack_name)
    except TemplateRefused as error:
        return Converted(refusal=f"The template of this version can't be rendered: {error}. Mend it in the catalog.")
    return convert(compose, rancher, given)


def _secrets(questions: Iterable[Question], given: Mapping[str, str]) -> dict[str, str]:
    """Passwords that a template only writes down stay variables: the compose file is shown, they are not."""
    return {
        question.variable: Secret(given[question.variable], f"${{{question.variable}}}")
        for question in questions
        if question.kind is QuestionKind.PASSWORD
        and given.get(question.variable)
        and _VARIABLE.fullmatch(question.variable)
    }


def section_of(template: Template) -> Section:
    """What rancher-compose.yml says of the version before any question is answered."""
    try:
        return questions_of(_rendered(template.rancher, template.rancher_templated, {}, ""))
    except TemplateRefused as error:
        return Section(problems=(f"rancher-compose.yml can't be rendered: {error}.",))


def _rendered(text: str, templated: bool, answers: Mapping[str, str], stack_name: str) -> str:
    if not templated or text.lstrip().startswith(("# notemplating", "#notemplating")):
        return text
    return execute(text, {"Values": dict(answers), "Stack": {"Name": stack_name}, "Release": {}})


def rendered(files: Mapping[str, bytes], answers: Mapping[str, str], *, stack_name: str) -> Converted | None:
    """:func:`render` for a stored version; None where the version is none of Rancher's."""
    template = from_files(files)
    return None if template is None else render(template, answers, stack_name=stack_name)


def mentioned(files: Mapping[str, bytes]) -> frozenset[str] | None:
    """The variables that a stored version's files use anywhere, templates and rancher-compose.yml included."""
    template = from_files(files)
    if template is None:
        return None
    found = _MENTIONED.findall(f"{template.compose}\n{template.rancher}")
    return frozenset(name for pair in found for name in pair if name)
