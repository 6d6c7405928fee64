"""What a deployment of a recipe would create, and everything that stands against it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from platform_manager.recipes import checks, preflight, validation
from platform_manager.recipes.facts import EnvironmentFacts, with_provided
from platform_manager.recipes.interpolation import interpolate_tree, mentions, texts
from platform_manager.recipes.problems import Path, Problem, Severity, dotted
from platform_manager.recipes.recipe import Recipe, version_of
from platform_manager.recipes.schema import NEWEST
from platform_manager.recipes.shorthand import Port

MTU_OPTION = "com.docker.network.driver.mtu"


@dataclass(frozen=True)
class ServicePreview:
    """``mode`` is ``replicated``, ``global`` or a job; ``replicas`` is None when every host gets one task."""

    name: str
    image: str
    mode: str
    replicas: int | None
    ports: list[Port]
    networks: list[str]
    volumes: list[str]
    constraints: list[str]


@dataclass(frozen=True)
class NetworkPreview:
    """``name`` as on the swarm; ``mtu`` is what its overlay option will say, None for external ones."""

    name: str
    external: bool
    driver: str
    mtu: int | None


@dataclass(frozen=True)
class ObjectPreview:
    """A volume, config or secret, named as on the swarm."""

    name: str
    external: bool
    file: str = ""


@dataclass
class Preview:
    services: list[ServicePreview] = field(default_factory=list)
    networks: list[NetworkPreview] = field(default_factory=list)
    volumes: list[ObjectPreview] = field(default_factory=list)
    configs: list[ObjectPreview] = field(default_factory=list)
    secrets: list[ObjectPreview] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def deployable(self) -> bool:
        return not any(problem.severity is Severity.ERROR for problem in self.problems)


def preview(recipe: Recipe, answers: Mapping[str, str], facts: EnvironmentFacts) -> Preview:
    """What would be created in this environment with these answers; never raises for what the file says."""
    given = with_provided(answers, stack_name=facts.stack_name, mtu=facts.mtu)
    value, failures = interpolate_tree(recipe.value, given)
    report = _Report(recipe, given)
    for path, problem in failures:
        report.add(Severity.ERROR, path, problem.message)
    minor = version_of(value)
    if minor is None:
        report.add(Severity.ERROR, ("version",), f"Compose version '{value['version']}' does not exist for a swarm.")
    findings = validation.validate(value, minor if minor is not None else NEWEST)
    for path, message in findings:
        report.add(Severity.ERROR, path, message)
    sound = _sound_part(value, [path for path, _ in findings])
    for path, message in checks.check(sound):
        report.add(Severity.ERROR, path, message)
    for severity, path, message, offer in preflight.inspect(sound, facts, set(recipe.files)):
        report.add(severity, path, message, offer)
    report.unanswered()
    problems = [*recipe.document.findings, *report.problems]
    return _listing(sound, facts, sorted(problems, key=lambda problem: _ORDER[problem.severity]))


_ORDER = {Severity.ERROR: 0, Severity.DANGER: 1, Severity.WARNING: 2}


class _Report:
    """Collects findings; an error in a value that an unanswered variable emptied says so."""

    def __init__(self, recipe: Recipe, answers: Mapping[str, str]) -> None:
        self.recipe = recipe
        self.answers = answers
        self.problems: list[Problem] = []
        self.blamed: set[str] = set()

    def add(self, severity: Severity, path: Path, message: str, offer: str = "") -> None:
        if severity is Severity.ERROR and (empty := self._empty_variables(path)):
            self.blamed |= set(empty)
            message += f" {' and '.join(empty)} has no value: answer it."
        problem = self.recipe.problem(severity, path, message, offer)
        if problem not in self.problems:
            self.problems.append(problem)

    def _empty_variables(self, path: Path) -> list[str]:
        raw: Any = self.recipe.value
        for part in path:
            try:
                raw = raw[part]
            except (KeyError, IndexError, TypeError):
                return []
        found = mentions(raw) if isinstance(raw, str) else []
        return [m.name for m in found if not m.separator and m.name not in self.answers]

    def unanswered(self) -> None:
        """Required variables that the CLI would overlook, and plain ones that stay empty."""
        for path, text in texts(self.recipe.value):
            for mention in mentions(text):
                if mention.name in self.answers or mention.name in self.blamed:
                    continue
                if "?" in mention.separator:
                    reason = f": {mention.argument.strip()}" if mention.argument.strip() else ""
                    self.blamed.add(mention.name)
                    self._once(Severity.ERROR, path, f"{mention.name} must be given{reason}.")
                elif not mention.separator:
                    self.blamed.add(mention.name)
                    message = f"{mention.name} has no value and no default: it stays empty in {dotted(path)}."
                    self._once(Severity.WARNING, path, message)

    def _once(self, severity: Severity, path: Path, message: str) -> None:
        place = dotted(path)
        if not any(p.path == place and p.severity is Severity.ERROR for p in self.problems):
            self.problems.append(self.recipe.problem(severity, path, message))


def _sound_part(value: dict[str, Any], broken: list[Path]) -> dict[str, Any]:
    """The file without the services that the schema refuses, other broken entries emptied."""
    sound: dict[str, Any] = {}
    for name in ("services", "networks", "volumes", "secrets", "configs"):
        part = value.get(name)
        if not isinstance(part, dict):
            continue
        bad = {path[1] for path in broken if len(path) > 1 and path[0] == name}
        if name == "services":
            sound[name] = {key: item for key, item in part.items() if key not in bad}
        else:
            sound[name] = {key: {} if key in bad else item for key, item in part.items()}
    return sound


def _listing(value: dict[str, Any], facts: EnvironmentFacts, problems: list[Problem]) -> Preview:
    stack = facts.stack_name
    networks = checks.section(value, "networks")
    return Preview(
        services=[_service(name, service, networks, stack) for name, service in preflight.services(value).items()],
        networks=[_network(name, networks.get(name, {}), facts) for name in preflight.used_networks(value)],
        volumes=_objects(value, "volumes", stack),
        configs=_objects(value, "configs", stack),
        secrets=_objects(value, "secrets", stack),
        problems=problems,
    )


def _service(name: str, service: dict[str, Any], networks: dict[str, Any], stack: str) -> ServicePreview:
    deploy = service.get("deploy") or {}
    mode = deploy.get("mode") or "replicated"
    replicas = deploy.get("replicas")
    attached = service.get("networks") or ["default"]
    return ServicePreview(
        name=name,
        image=service.get("image") or "",
        mode=mode,
        replicas=None if mode.startswith("global") else 1 if replicas is None else replicas,
        ports=[port for _, port in preflight.service_ports(service)],
        networks=[preflight.swarm_name(key, networks.get(key, {}), stack) for key in attached],
        volumes=[_mount_words(entry) for entry in service.get("volumes") or []],
        constraints=list(checks.dig(deploy, ("placement", "constraints")) or []),
    )


def _mount_words(entry: Any) -> str:
    if isinstance(entry, str):
        return entry
    source = entry.get("source") or entry.get("type", "")
    return f"{source}:{entry.get('target', '')}{':ro' if entry.get('read_only') else ''}"


def _network(name: str, declared: dict[str, Any], facts: EnvironmentFacts) -> NetworkPreview:
    external = preflight.is_external(declared)
    driver = declared.get("driver") or "overlay"
    mtu: int | None = None
    if not external and driver == "overlay":
        text = str((declared.get("driver_opts") or {}).get(MTU_OPTION, facts.mtu))
        mtu = int(text) if text.isdecimal() else facts.mtu
    return NetworkPreview(preflight.swarm_name(name, declared, facts.stack_name), external, driver, mtu)


def _objects(value: dict[str, Any], kind: str, stack: str) -> list[ObjectPreview]:
    return [
        ObjectPreview(
            preflight.swarm_name(name, declared, stack),
            preflight.is_external(declared),
            declared.get("file") or "",
        )
        for name, declared in checks.section(value, kind).items()
    ]
