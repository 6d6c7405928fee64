"""Variables in compose values, with the exact grammar and quirks of the Docker CLI.

Every text value of the file is interpolated (``x-`` sections too), keys never are. ``$$`` is a dollar sign.
A value that changed is cast to what the field needs (``replicas: ${N}``), one that did not change is not.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from platform_manager.recipes.casts import Cast, cast_for
from platform_manager.recipes.problems import Path, Problem, Severity, dotted

# Go folds case over Unicode: the long s and the Kelvin sign count as letters there.
_NAME = "[_a-zA-Z\u017f\u212a][_a-zA-Z0-9\u017f\u212a]*"
_SUBSTITUTION = rf"{_NAME}(?::?[-?][^}}]*)?"
_BRACED = rf"\{{(?P<braced>{_SUBSTITUTION})\}}"


def _pattern(braced: str) -> re.Pattern[str]:
    return re.compile(rf"\$(?:(?P<escaped>\$)|(?P<named>{_SUBSTITUTION})|{braced}|(?P<invalid>))")


_PATTERN = _pattern(_BRACED)
# Behind the last brace none is closed: looking for one from each that is open takes hours in a long text.
_PATTERN_OF_REST = _pattern("(?P<braced>(?!))")

# The CLI looks for these in this order, anywhere in the substitution: "${A-b:-c}" is the variable "A-b".
_SEPARATORS = (":-", "-", ":?", "?")

# Answers may be long and be used often: all changed texts of a file together.
MAX_CHARACTERS = 4 * 1024 * 1024


class SubstitutionError(ValueError):
    """``variable`` is the required one that is missing, or "" for text that is no substitution at all."""

    def __init__(self, message: str, variable: str = "") -> None:
        super().__init__(message)
        self.variable = variable


class TooLong(ValueError):
    """What the answers make of a text passes the limit."""


@dataclass(frozen=True)
class Mention:
    """One substitution: the variable, its separator ("" when plain) and what follows it."""

    name: str
    separator: str
    argument: str

    def value(self, answers: Mapping[str, str]) -> str:
        given = answers.get(self.name)
        if self.separator == ":-":
            return given or self.argument
        if self.separator == "-":
            return self.argument if given is None else given
        if (self.separator == ":?" and not given) or (self.separator == "?" and given is None):
            raise SubstitutionError(self.argument.strip(), self.name)
        return given or ""


@dataclass
class Variable:
    """A question the file asks. ``default`` is None when it has none; ``mentions`` are dotted paths."""

    name: str
    default: str | None = None
    required: bool = False
    error_message: str = ""
    mentions: list[str] = field(default_factory=list)


def _mention(substitution: str) -> Mention:
    for separator in _SEPARATORS:
        name, found, argument = substitution.partition(separator)
        if found:
            return Mention(name, separator, argument)
    return Mention(substitution, "", "")


def _parts(text: str) -> Iterator[tuple[re.Pattern[str], str]]:
    """No substitution goes beyond a closing brace."""
    end = text.rfind("}") + 1
    yield _PATTERN, text[:end]
    yield _PATTERN_OF_REST, text[end:]


def dollars(text: str) -> Iterator[re.Match[str]]:
    """Whatever begins with a dollar sign: matches of ``escaped``, ``named``, ``braced`` or ``invalid``."""
    for shape, part in _parts(text):
        yield from shape.finditer(part)


def mentions(text: str) -> list[Mention]:
    """The substitutions in ``text``, escapes and broken ones left out."""
    found = (match["named"] or match["braced"] for match in dollars(text))
    return [_mention(substitution) for substitution in found if substitution]


def answered(answers: Mapping[str, str]) -> dict[str, str]:
    """The answers that count: a blank one is the same as none."""
    return {name: value for name, value in answers.items() if value != ""}


def interpolate(text: str, answers: Mapping[str, str]) -> str:
    """``text`` with its variables replaced, blank answers as unset; raises :class:`SubstitutionError`."""
    return _substitute(text, answered(answers))


def _substitute(text: str, answers: Mapping[str, str], limit: int = MAX_CHARACTERS) -> str:
    failure: SubstitutionError | None = None
    left = limit - len(text)

    def replace(match: re.Match[str]) -> str:
        nonlocal failure, left
        if match["escaped"]:
            return "$"
        substitution = match["named"] or match["braced"]
        try:
            if not substitution:
                raise SubstitutionError("'$' must be followed by a variable name")
            value = _mention(substitution).value(answers)
        except SubstitutionError as error:
            failure = error
            return ""
        # As in the CLI, a later substitution that works hides the failure of an earlier one.
        failure = None
        left -= len(value)
        if left < 0:
            raise TooLong
        return value

    result = "".join(shape.sub(replace, part) for shape, part in _parts(text))
    if failure:
        raise failure
    return result


def texts(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every text value with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from texts(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from texts(item, (*path, index))


def find_variables(*values: Mapping[str, Any]) -> list[Variable]:
    """The variables of compose files in order of appearance, those of bare environment entries last."""
    found: dict[str, Variable] = {}
    for value in values:
        for path, text in texts(dict(value)):
            for mention in mentions(text):
                _note(found.setdefault(mention.name, Variable(mention.name)), mention, path)
    for value in values:
        for path, name in passed_through(value):
            found.setdefault(name, Variable(name)).mentions.append(dotted(path))
    return list(found.values())


def _note(variable: Variable, mention: Mention, path: Path) -> None:
    variable.mentions.append(dotted(path))
    if "?" in mention.separator:
        variable.required = True
        variable.error_message = variable.error_message or mention.argument.strip()
    elif mention.separator and variable.default is None:
        variable.default = mention.argument


_VARIABLE = re.compile("[_a-zA-Z][_a-zA-Z0-9]*")


def passed_through(value: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Environment entries without a value: the CLI fills them from its own environment."""
    services = value.get("services")
    for name, service in services.items() if isinstance(services, dict) else ():
        environment = service.get("environment") if isinstance(service, dict) else None
        path: Path = ("services", name, "environment")
        if isinstance(environment, dict):
            entries: list[tuple[Path, Any, bool]] = [((*path, k), k, v is None) for k, v in environment.items()]
        elif isinstance(environment, list):
            entries = [((*path, n), e, isinstance(e, str) and "=" not in e) for n, e in enumerate(environment)]
        else:
            continue
        for place, entry, bare in entries:
            if bare and _VARIABLE.fullmatch(entry):
                yield place, entry


def interpolate_tree(
    value: dict[str, Any], answers: Mapping[str, str], *, later: str = ""
) -> tuple[dict[str, Any], list[tuple[Path, Problem]]]:
    """The whole file interpolated and cast; what can't be is left as it stands and reported (lines are 0).

    A text that holds ``later`` after that is not cast: its value is not known yet.
    """
    walker = _Walker(answered(answers), later)
    return walker.walk(value, ()), walker.problems


class _Walker:
    def __init__(self, answers: Mapping[str, str], later: str) -> None:
        self.answers = answers
        self.later = later
        self.left = MAX_CHARACTERS
        self.problems: list[tuple[Path, Problem]] = []

    def walk(self, value: Any, path: Path) -> Any:
        if isinstance(value, dict):
            return {key: self.walk(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.walk(item, (*path, index)) for index, item in enumerate(value)]
        return self._text(value, path) if isinstance(value, str) and "$" in value else value

    def _text(self, text: str, path: Path) -> Any:
        try:
            result = _substitute(text, self.answers, self.left)
        except SubstitutionError as error:
            self._report(path, _substitution_words(text, path, error))
            return text
        except TooLong:
            # Once: with this much there may be very many more.
            if self.left >= 0:
                self._report(path, f"With its answers the file passes {MAX_CHARACTERS:,} characters. Shorten them.")
            self.left = -1
            return text
        if result == text:
            return text
        self.left -= len(result)
        cast = None if self.later and self.later in result else cast_for(path)
        return result if cast is None else self._cast(cast, text, result, path)

    def _cast(self, cast: Cast, text: str, result: str, path: Path) -> Any:
        try:
            return cast.convert(result)
        except ValueError:
            self._report(path, f"{dotted(path)} needs {cast.words}, but '{text[:80]}' becomes '{result[:80]}'.")
            return result

    def _report(self, path: Path, message: str) -> None:
        self.problems.append((path, Problem(Severity.ERROR, dotted(path), 0, message)))


def _substitution_words(text: str, path: Path, error: SubstitutionError) -> str:
    if error.variable:
        reason = f": {error}" if str(error) else ""
        return f"{error.variable} must be given{reason}. Answer it in the form ({dotted(path)} needs it)."
    return f"{dotted(path)}: '{text[:80]}' has a '$' that starts no variable. Write '$$' for a dollar sign."
