"""Environment entries without a value, which the Docker CLI fills from its own environment: the answers fill them."""

import codecs
import re
from collections.abc import Iterator, Mapping
from typing import Any

from platform_manager.recipes import preflight
from platform_manager.recipes.problems import Path, dotted
from platform_manager.recipes.recipe import clean_path

# The CLI reads no longer line of an env file.
MAX_LINE_BYTES = 64 * 1024
_BLANKS = " \t\n\v\f\r"


def fill_environment(value: dict[str, Any], answers: Mapping[str, str], files: Mapping[str, bytes]) -> None:
    """Fill the services of an interpolated file in place; an entry that no answer fills stays as it is."""
    services = value.get("services")
    for service in services.values() if isinstance(services, dict) else ():
        if not isinstance(service, dict):
            continue
        environment = service.get("environment")
        if isinstance(environment, dict):
            for name, text in environment.items():
                if text in (None, "") and name in answers:
                    environment[name] = answers[name]
        elif isinstance(environment, list):
            service["environment"] = _filled_list(environment, answers)
        _add_from_files(service, answers, files)


def _filled_list(entries: list[Any], answers: Mapping[str, str]) -> list[Any]:
    """Of several entries with one name the last one counts, so only that one is filled."""
    names = [str(entry).partition("=")[0] for entry in entries]
    last = {name: index for index, name in enumerate(names)}
    filled = list(entries)
    dropped = set()
    for name, index in last.items():
        if name not in answers or entries[index] not in (name, f"{name}="):
            continue
        filled[index] = f"{name}={answers[name]}"
        # An equal entry before it has no effect, but the CLI takes no entry twice.
        dropped |= {n for n, entry in enumerate(entries) if n != index and entry == filled[index]}
    return [entry for n, entry in enumerate(filled) if n not in dropped]


def _add_from_files(service: dict[str, Any], answers: Mapping[str, str], files: Mapping[str, bytes]) -> None:
    """What answers change in env files goes to ``environment``, which comes after them; the files stay as they are."""
    lines = _lines_of(service, files)
    alone, filled = _resolved(lines, {}), _resolved(lines, answers)
    environment = service.get("environment")
    if environment is None:
        environment = {}
    known = {str(entry).partition("=")[0] for entry in environment} if isinstance(environment, list) else environment
    added = {name: text for name, text in filled.items() if name not in known and alone.get(name) != text}
    if not added:
        return
    if isinstance(environment, dict):
        service["environment"] = {**environment, **added}
    elif isinstance(environment, list):
        service["environment"] = [*environment, *(f"{name}={text}" for name, text in added.items())]


def env_file_variables(service: Mapping[str, Any], files: Mapping[str, bytes]) -> dict[str, str]:
    """What the env files of a service say without any answers."""
    return _resolved(_lines_of(service, files), {})


def env_file_problems(value: Mapping[str, Any], files: Mapping[str, bytes]) -> Iterator[tuple[Path, str]]:
    """Lines of env files that the CLI does not read; the first of each file, which is where it stops."""
    for path, name in preflight.file_references({"services": value.get("services") or {}}):
        lines = files.get(clean_path(name), b"").removeprefix(codecs.BOM_UTF8).split(b"\n")
        found = ((number, _line_problem(line)) for number, line in enumerate(lines, 1))
        number, reason = next(((number, reason) for number, reason in found if reason), (0, ""))
        if reason:
            yield path, f"{dotted(path)}: line {number} of '{name}' {reason}."


def _line_problem(line: bytes) -> str:
    if len(line) >= MAX_LINE_BYTES:
        return f"is longer than {MAX_LINE_BYTES // 1024} KiB. Shorten it"
    try:
        text = line.decode().lstrip(_BLANKS)
    except UnicodeDecodeError:
        return "is no text in UTF-8. Save the file as UTF-8"
    name, assigned, _ = text.partition("=")
    if assigned and not name:
        return "has no name before the '='. Write NAME=value"
    if not text.startswith("#") and re.search(r"[ \t]", name):
        return f"names a variable with a space in it: '{name[:60]}'. Write NAME=value, without 'export'"
    return ""


def _lines_of(service: Mapping[str, Any], files: Mapping[str, bytes]) -> list[str]:
    listed = service.get("env_file")
    names = [listed] if isinstance(listed, str) else listed
    texts = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    return [line for name in texts for line in _lines(files.get(clean_path(name), b""))]


def _lines(content: bytes) -> list[str]:
    text = content.removeprefix(codecs.BOM_UTF8).decode(errors="replace")
    lines = (line.removesuffix("\r").lstrip(_BLANKS) for line in text.split("\n"))
    return [line for line in lines if line and not line.startswith("#")]


def _resolved(lines: list[str], answers: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        name, assigned, text = line.partition("=")
        if assigned:
            found[name] = text
        elif name in answers:
            found[name] = answers[name]
    return {name: text or answers.get(name, "") for name, text in found.items()}
