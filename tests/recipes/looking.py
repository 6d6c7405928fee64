"""What a preview says of a small file, for tests that care about its problems."""

from platform_manager.recipes import EnvironmentFacts, HostFacts, Preview, Problem, parse, preview

HOSTS = [
    HostFacts("fw-01", "manager", {"disk": "ssd"}, arch="x86_64", cpus=2, memory=4 * 2**30),
    HostFacts("fw-02", "worker", arch="x86_64", cpus=4, memory=8 * 2**30),
]


def seen(text: str, files: dict[str, bytes] | None = None, **facts: object) -> Preview:
    """In an environment with two hosts and nothing on them, changed by ``facts``."""
    known = {"stack_name": "shop", "mtu": 1400, "hosts": HOSTS, "secrets": set(), "configs": set(), **facts}
    return preview(parse(text, files), {}, EnvironmentFacts(**known))  # type: ignore[arg-type]


def problems(text: str, files: dict[str, bytes] | None = None, **facts: object) -> list[Problem]:
    return seen(text, files, **facts).problems


def said(text: str, **facts: object) -> list[tuple[str, str]]:
    return [(problem.severity.value, problem.message) for problem in problems(text, **facts)]


def only(text: str, files: dict[str, bytes] | None = None, **facts: object) -> Problem:
    """The one problem of a file."""
    found = problems(text, files, **facts)
    assert len(found) == 1, found
    return found[0]


def service(part: str, name: str = "a") -> str:
    """A file with one service that has ``part``."""
    return f"services: {{{name}: {{image: x, {part}}}}}\n"
