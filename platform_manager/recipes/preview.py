"""What a deployment of a recipe would create, and everything that stands against it."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from platform_manager.recipes import bounds, checks, placeholders, preflight, validation
from platform_manager.recipes.facts import MTU_OPTION as MTU_OPTION
from platform_manager.recipes.facts import EnvironmentFacts, no_text, no_text_words, with_provided
from platform_manager.recipes.filling import env_file_problems
from platform_manager.recipes.merging import merged
from platform_manager.recipes.problems import Asked, Path, Problem, Severity
from platform_manager.recipes.recipe import Recipe, version_of
from platform_manager.recipes.report import Report
from platform_manager.recipes.schema import NEWEST
from platform_manager.recipes.shorthand import Port

# What one stack may hold; each service is compared with the others and with each host.
MAX_SERVICES = 500
MAX_PORTS = 5_000


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
    """``name`` as on the swarm; ``mtu`` is what its overlay option will say, None for external ones that exist.

    ``wished``: external, and the platform makes it first as an attachable overlay.
    """

    name: str
    external: bool
    driver: str
    mtu: int | None
    wished: bool = False


@dataclass(frozen=True)
class ObjectPreview:
    """A volume, config or secret, named as on the swarm; ``wished``: external, and the platform makes it first."""

    name: str
    external: bool
    file: str = ""
    wished: bool = False


@dataclass
class Preview:
    """``asked`` is what people may give, what they gave included; without it ``problems`` holds an error."""

    services: list[ServicePreview] = field(default_factory=list)
    networks: list[NetworkPreview] = field(default_factory=list)
    volumes: list[ObjectPreview] = field(default_factory=list)
    configs: list[ObjectPreview] = field(default_factory=list)
    secrets: list[ObjectPreview] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    @property
    def deployable(self) -> bool:
        return not any(problem.severity is Severity.ERROR for problem in self.problems)


def preview(recipe: Recipe, answers: Mapping[str, str], facts: EnvironmentFacts) -> Preview:
    """What would be created in this environment with these answers; never raises for what the file says."""
    given = with_provided(answers, stack_name=facts.stack_name, mtu=facts.mtu)
    # One file with its overlays: what one of them asks of hosts is looked at like the rest.
    value, failures = merged(recipe, given)
    report = Report(recipe, given)
    for path, problem in failures:
        if problem.line:
            report.problems.setdefault(problem)
        else:
            report.add(Severity.ERROR, path, problem.message)
    for name in no_text(given):
        report.add(Severity.ERROR, (), no_text_words(name))
    minor = version_of(value)
    if minor is None:
        report.add(Severity.ERROR, ("version",), f"Compose version '{value['version']}' does not exist for a swarm.")
    findings = validation.validate(value, minor if minor is not None else NEWEST)
    told = {path for path, _ in failures}
    for path, message in findings:
        if path not in told:
            report.add(Severity.ERROR, path, message)
    sound = _sound_part(value, [path for path, _ in findings])
    for path, message in _cut(sound):
        report.add(Severity.ERROR, path, message)
    for path, message in _refused(sound, recipe.files):
        report.add(Severity.ERROR, path, message)
    wants = preflight.asking.wants(sound, facts, set(recipe.files))
    for found in preflight.inspect(sound, facts, recipe.files, wants):
        report.add(found.severity, found.path, found.message, found.offer, found.danger)
    report.unanswered()
    return _listing(sound, facts, report.sorted(), [_asked(want, recipe) for want in wants])


def _refused(sound: dict[str, Any], files: Mapping[str, bytes]) -> Iterator[tuple[Path, str]]:
    """What the CLI or the engine would refuse, early or half way."""
    yield from checks.check(sound)
    yield from env_file_problems(sound, files)
    yield from bounds.check(sound, preflight.used_networks(sound))
    yield from placeholders.check(sound)


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


def _cut(sound: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    """Takes away what no swarm bears, before anything counts through it."""
    services, ports = preflight.services(sound), 0
    if len(services) > MAX_SERVICES:
        yield ("services",), f"The file has {len(services)} services; a stack may have {MAX_SERVICES}. Split it."
        sound["services"] = services = dict(list(services.items())[:MAX_SERVICES])
    for name, service in services.items():
        ports += len(preflight.service_ports(service)) if ports <= MAX_PORTS else 0
        if ports > MAX_PORTS and service.get("ports"):
            message = f"The services up to '{name}' publish more than {MAX_PORTS} ports. Publish only those in use."
            yield ("services", name, "ports"), message
            sound["services"][name] = {**service, "ports": []}


def _listing(value: dict[str, Any], facts: EnvironmentFacts, problems: list[Problem], asked: list[Asked]) -> Preview:
    stack = facts.stack_name
    networks = checks.section(value, "networks")
    return Preview(
        services=[_service(name, service, networks, stack) for name, service in preflight.services(value).items()],
        networks=[_network(name, networks.get(name, {}), facts) for name in preflight.used_networks(value)],
        volumes=_objects(value, "volumes", stack, facts.wished_volumes - facts.volumes),
        configs=_objects(value, "configs", stack, facts.given_configs - (facts.configs or set())),
        secrets=_objects(value, "secrets", stack, facts.given_secrets - (facts.secrets or set())),
        problems=problems,
        asked=asked,
    )


def _asked(want: preflight.asking.Want, recipe: Recipe) -> Asked:
    line = recipe.problem(Severity.ERROR, want.path, "").line
    return Asked(want.kind, want.name, want.message, line, want.secret, want.given)


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
    full = preflight.swarm_name(name, declared, facts.stack_name)
    driver = "overlay" if external else declared.get("driver") or "overlay"
    wished = external and full in facts.wished_networks and full not in facts.networks
    mtu: int | None = facts.mtu if wished else None
    if not external and driver == "overlay":
        text = str((declared.get("driver_opts") or {}).get(MTU_OPTION, facts.mtu))
        mtu = int(text) if text.isdecimal() and len(text) < 7 else facts.mtu
    return NetworkPreview(full, external, facts.network_drivers.get(full, driver) if external else driver, mtu, wished)


def _objects(value: dict[str, Any], kind: str, stack: str, made: AbstractSet[str]) -> list[ObjectPreview]:
    found = []
    for name, declared in checks.section(value, kind).items():
        full, external = preflight.swarm_name(name, declared, stack), preflight.is_external(declared)
        found.append(ObjectPreview(full, external, declared.get("file") or "", external and full in made))
    return found
