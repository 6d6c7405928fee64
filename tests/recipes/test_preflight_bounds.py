"""A hostile file can't hide a danger behind a heap of problems, nor keep a process busy."""

from looking import problems, seen

from platform_manager.recipes import Severity


def test_of_many_problems_the_first_are_shown_and_the_others_counted() -> None:
    services = "".join(f"  s{n}: {{image: x, devices: [a], build: ., tty: ture}}\n" for n in range(300))

    found = problems(f"services:\n{services}")

    assert len(found) < 450
    assert "100 more of this kind are not shown" in " ".join(problem.message for problem in found)


def test_warnings_do_not_hide_a_danger() -> None:
    services = "".join(f"  s{n}: {{image: x, devices: [a], build: .}}\n" for n in range(400))
    last = "  last: {image: x, volumes: ['/etc:/etc']}\n"

    assert [p.path for p in problems(f"services:\n{services}{last}") if p.severity is Severity.DANGER] == [
        "services.last.volumes[0]"
    ]


def test_a_stack_of_more_services_than_a_swarm_bears_is_refused() -> None:
    shown = seen("services:\n" + "".join(f"  s{n}: {{image: x}}\n" for n in range(501)))

    assert (shown.deployable, len(shown.services)) == (False, 500)
    assert "501 services" in shown.problems[0].message
