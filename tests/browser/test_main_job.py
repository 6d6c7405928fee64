"""The main job as a user does it, in a real browser on three nested engines, from signing in to nothing left."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import PASSWORD
from tests.browser.pages import Person
from tests.support.lab import Lab, docker, until

pytestmark = [pytest.mark.engine, pytest.mark.browser]

REFUSED = "status of 422"
TICKER = """
version: "3.8"
services:
  ticker:
    image: 127.0.0.1:1/ticker:1
    environment:
      RATE: ${RATE:-1}
    stop_grace_period: 1s
    deploy:
      mode: global
"""
FLAKY = """
version: "3.8"
services:
  flaky:
    image: 127.0.0.1:1/flaky:1
    environment:
      SECONDS: "0"
      CODE: "3"
    deploy:
      restart_policy:
        delay: 1s
"""


def test_the_main_job_from_signing_in_to_nothing_left(platform: Lab, ann: Person) -> None:
    signs_in_and_reads_what_to_do_first(ann)
    home = creates_an_environment(ann)
    adds_three_hosts(ann, home)
    deploys_the_whoami_recipe(ann, home)
    deploys_a_ticker_and_reads_its_logs(ann, home)
    updates_whoami(ann, home)
    deploys_what_can_not_run(ann, home)
    watches_a_host_go_and_come_back(ann, home, platform)
    removes_the_only_manager_after_promoting_another(ann, home)
    looks_at_every_other_page(ann, home)
    removes_a_stack(ann, home)
    deletes_the_environment(ann, home, platform)
    assert ann.too_wide == []


def signs_in_and_reads_what_to_do_first(ann: Person) -> None:
    ann.opens("/")
    ann.is_at("login")
    ann.looks_at("01-sign-in")
    ann.signs_in("ann", PASSWORD)
    ann.sees("Create your first environment")
    ann.looks_at("02-first-steps")
    ann.finds_no_error_in_the_console()


def creates_an_environment(ann: Person) -> str:
    """The new environment's address; its name is asked for a second time and refused."""
    ann.clicks("Create an environment")
    ann.sees("Template")
    ann.looks_at("03-new-environment")
    ann.creates_environment("Fleet demo", "Evaluation")
    ann.is_at(r"^/environments/[0-9a-f-]{36}/$")
    home = ann.path
    ann.sees("No hosts yet: add a host")
    ann.looks_at("04-environment-empty")
    ann.finds_no_error_in_the_console()

    ann.creates_environment("fleet  Demo", "Standard")
    ann.sees("You have an environment called fleet Demo already", "#id_name_error")
    assert ann.value("#id_name") == "fleet  Demo"
    assert ann.value("#id_managers") == "3"
    ann.looks_at("05-duplicate-name")
    ann.finds_no_error_in_the_console(REFUSED)
    return home


def adds_three_hosts(ann: Person, home: str) -> None:
    ann.opens(home)
    ann.clicks("Add hosts")
    ann.sees("will be manager", "#plan")
    ann.types("How many", "1000")
    ann.sees("1000 hosts can't be added at once: choose 1 to 9", "#quantity-error")
    ann.no_longer_sees("will be manager", "#plan")
    ann.clicks("Add hosts", within="content")
    ann.sees("1000 hosts can't be added at once", "#quantity-error")
    assert ann.value("#id_quantity") == "1000"
    ann.finds_no_error_in_the_console(REFUSED)
    ann.looks_at("06-too-many-hosts")

    ann.types("How many", "3")
    ann.sees("3 hosts: fw-01 to fw-03, 1 will be manager (fw-01)", "#plan")
    ann.no_longer_sees("1000", "#quantity-error")
    ann.looks_at("07-add-hosts")
    overview = ann.opens_tab(home)
    with ann.at_tab(overview):
        ann.marks_the_page()
    ann.clicks("Add hosts", within="content")
    watches_it_arrive(ann)
    ann.looks_at("09-operation-done")
    with ann.at_tab(overview):
        ann.sees("3 of 3 active", "#summary")
        for name in ("fw-01", "fw-02", "fw-03"):
            ann.sees_row(name, "Active")
        assert ann.page_was_not_loaded_again
        ann.finds_no_error_in_the_console()
        ann.looks_at("10-environment")
        ann.looks_at("10-environment", dark=True)
        ann.driver.close()
    ann.finds_no_error_in_the_console()


def watches_it_arrive(ann: Person) -> None:
    """Steps and log lines come to the page that stands, in order, each once."""
    ann.is_at("/operations/")
    ann.marks_the_page()
    ann.sees("Running", "#operation-badge")
    first = until(lambda: ann.count("#steps .line"), what="log lines arrive")
    until(lambda: ann.count("#steps .line") > first, what="more log lines arrive")
    ann.looks_at("08-operation-running")
    ann.watches_operation()
    assert ann.page_was_not_loaded_again
    live = ann.texts("#steps .line, #steps .step-title, #steps .step-word")
    assert set(ann.texts("#steps .step-word")) <= {"Done", "Skipped"}
    ann.opens(ann.path)
    assert ann.texts("#steps .line, #steps .step-title, #steps .step-word") == live


def deploys_the_whoami_recipe(ann: Person, home: str) -> None:
    ann.opens(home)
    ann.clicks("Deploy a stack")
    ann.looks_at("11-deploy-empty")
    ann.clicks_on("a.recipe-card[href='?recipe=whoami']")
    ann.is_at("recipe=whoami")
    ann.sees("Can be deployed", "#preview")
    ann.sees("127.0.0.1:1/whoami:1", "#preview")
    ann.sees("8080:8000/tcp", "#preview")
    ann.looks_at("12-deploy-preview")
    ann.types("REPLICAS", "2")
    ann.sees_row("127.0.0.1:1/whoami:1", " 2 ", css="#preview tbody tr")
    stacks = ann.opens_tab(f"{home}stacks/")
    with ann.at_tab(stacks):
        ann.sees("No stacks yet")
        ann.marks_the_page()
    ann.clicks("Deploy")
    ann.watches_operation()
    ann.looks_at("13-deployed")
    with ann.at_tab(stacks):
        ann.sees_row("whoami", "Running", "2 of 2")
        assert ann.page_was_not_loaded_again
        ann.finds_no_error_in_the_console()
        ann.driver.close()
    ann.opens(f"{home}stacks/whoami/")
    ann.sees("2 of 2 tasks run")
    assert len([row for row in ann.texts("#tasks tr") if "Running" in row]) == 2
    ann.looks_at("14-stack")
    ann.finds_no_error_in_the_console()


def deploys_a_ticker_and_reads_its_logs(ann: Person, home: str) -> None:
    ann.opens(f"{home}stacks/deploy/")
    ann.types("Stack name", "ticker")
    ann.pastes("Compose file", TICKER)
    ann.sees("one per host", "#preview")
    ann.types("RATE", "10")
    ann.deploys("ticker", TICKER)
    ann.watches_operation()
    ann.opens(f"{home}stacks/ticker/")
    ann.sees("3 of 3 tasks run")
    ann.clicks("Logs")
    ann.sees("Following", ".log-viewer")
    first = until(lambda: ann.count(".log-line"), what="log lines are there")
    until(lambda: ann.count(".log-line") > first + 20, what="more log lines arrive")
    until(lambda: ann.count(".log-chip") == 3, what="all three tasks are there")
    ann.looks_at("15-logs")
    ann.looks_at("15-logs", dark=True)
    scrolls_up_and_jumps_to_the_end(ann)
    searches(ann)
    told_apart(ann)
    follows_the_link_of_a_task(ann)
    ann.finds_no_error_in_the_console()


AT_END = (
    "const s = document.querySelector('[data-log-screen]'); return s.scrollHeight - s.scrollTop - s.clientHeight < 30"
)


def scrolls_up_and_jumps_to_the_end(ann: Person) -> None:
    until(lambda: ann.script(AT_END), what="the viewer follows the end")
    top = ann.script("const s = document.querySelector('[data-log-screen]'); s.scrollTop -= 300; return s.scrollTop")
    ann.sees("Held", ".log-viewer")
    ann.sees("new lines: jump to the end", "[data-log-jump]")
    assert ann.script("return document.querySelector('[data-log-screen]').scrollTop") == top
    ann.looks_at("16-logs-held")
    ann.clicks_on("[data-log-jump]")
    ann.sees("Following", ".log-viewer")
    until(lambda: ann.script(AT_END), what="the viewer is at the end again")
    lines = ann.count(".log-line")
    until(lambda: ann.count(".log-line") > lines, what="the viewer follows again")


def searches(ann: Person) -> None:
    ann.types("Search in the lines", "tenth")
    until(lambda: ann.count("[data-log-lines] mark"), what="the found words are marked")
    found = ann.script("return [...document.querySelectorAll('[data-log-lines] mark')].map((e) => e.textContent)")
    assert set(found) == {"tenth"}
    ann.field("Search in the lines").send_keys("\n")
    until(lambda: re.search(r"^1 of \d+", ann.text("[data-log-found]")), what="the first finding is shown")
    ann.sees("Held", ".log-viewer")
    assert ann.script("return document.querySelector('.log-viewer').scrollTop") == 0, "its tools are out of sight"
    ann.looks_at("17-logs-search")
    ann.types("Search in the lines", "")
    until(lambda: not ann.count("[data-log-lines] mark"), what="nothing is marked any more")
    ann.clicks_on("[data-log-jump]")


# Lines out of sight are not drawn, and have no visible text.
WRITTEN = "return [...document.querySelectorAll(`.log-line${arguments[0]} .log-text`)].map((e) => e.textContent)"
LOOK = """
const style = getComputedStyle(document.querySelector(arguments[0]));
return [style.color, style.borderLeftColor, style.borderLeftWidth, style.backgroundColor].join();
"""


def told_apart(ann: Person) -> None:
    """Lines of stderr look different, and say so to who can't see it."""
    until(lambda: ann.count(".log-line.stream-2"), what="lines of stderr are there")
    assert all("stderr: tenth line" in text for text in ann.script(WRITTEN, ".stream-2"))
    assert not any("tenth line" in text for text in ann.script(WRITTEN, ".stream-1"))
    assert ann.script(LOOK, ".log-line.stream-1") != ann.script(LOOK, ".log-line.stream-2")


def follows_the_link_of_a_task(ann: Person) -> None:
    name = ann.text("a.log-task")
    ann.clicks_on("a.log-task")
    ann.is_at("/tasks/")
    ann.sees(name, "h1")
    ann.sees("Running", "#task-head")
    ann.sees("Exit code \N{EN DASH}", "#task-head")
    ann.looks_at("18-task")


def updates_whoami(ann: Person, home: str) -> None:
    ann.opens(f"{home}stacks/whoami/")
    ann.clicks("Update")
    assert ann.value("#answer-REPLICAS") == "2"
    compose = ann.value("#id_compose")
    ann.pastes("Compose file", compose.replace("whoami:1", "whoami:2"))
    ann.sees("127.0.0.1:1/whoami:2", "#preview")
    ann.looks_at("19-update")
    ann.clicks("Update")
    ann.watches_operation()
    ann.opens(f"{home}stacks/whoami/")
    ann.sees("2 of 2 tasks run")
    ann.sees("Revision 2", "#revisions")
    rows = ann.texts("#tasks tr")
    assert len(rows) == 2
    assert all("whoami:2" in row and "Running" in row for row in rows)
    ann.finds_no_error_in_the_console()


def deploys_what_can_not_run(ann: Person, home: str) -> None:
    ann.opens(f"{home}stacks/deploy/")
    ann.deploys("flaky", FLAKY)
    ann.watches_operation(state="Failed", seconds=90)
    ann.sees("non-zero exit (3)", "#operation-result")
    ann.looks_at("20-deploy-failed")
    ann.looks_at("20-deploy-failed", dark=True)
    ann.clicks("flaky")
    ann.is_at("/stacks/flaky/")
    ann.sees("Failed", "#stack-head")
    ann.sees("task: non-zero exit (3)", "#listing")
    ann.looks_at("21-stack-failed")
    ann.opens(home)
    ann.sees("1 needs attention", "#summary")
    ann.finds_no_error_in_the_console()
    ann.opens(f"{home}stacks/flaky/")
    ann.clicks("Remove")
    ann.looks_at("22-remove-stack")
    ann.clicks("Remove flaky")
    ann.watches_operation()
    ann.finds_no_error_in_the_console()


def machine_of(platform: Lab, host: str) -> str:
    """The id of the container that is a host."""
    label = f"label=platform-manager.installation={platform.installation}"
    return docker("ps", "-aq", "--filter", label, "--filter", f"name=-{host}-").strip()


def watches_a_host_go_and_come_back(ann: Person, home: str, platform: Lab) -> None:
    """Within 20 s it is shown as lost; the logs of the others go on meanwhile."""
    machine = machine_of(platform, "fw-03")
    ann.opens(f"{home}logs/?stack=ticker")
    until(lambda: ann.count(".log-chip") == 3, what="all three tasks are there")
    logs = ann.driver.current_window_handle
    overview = ann.opens_tab(home)
    with ann.at_tab(overview):
        ann.sees_row("fw-03", "Active")
        ann.marks_the_page()
        docker("kill", machine)
        ann.sees_row("fw-03", "Disconnected", css="#hosts tr", seconds=20)
        ann.sees("2 of 3 active", "#summary")
        ann.looks_at("23-host-lost")
    with ann.at_tab(logs):
        lines = ann.script("return document.querySelector('[data-log-lines]').lastElementChild.innerText")
        until(
            lambda: ann.script("return document.querySelector('[data-log-lines]').lastElementChild.innerText") != lines,
            what="the other tasks' lines keep coming",
        )
        ann.sees("Following", ".log-viewer")
        docker("start", machine)
    with ann.at_tab(overview):
        ann.sees_row("fw-03", "Active", css="#hosts tr", seconds=60)
        ann.sees("3 of 3 active", "#summary")
        assert ann.page_was_not_loaded_again
        ann.finds_no_error_in_the_console()
        ann.driver.close()
    ann.finds_no_error_in_the_console()


def removes_the_only_manager_after_promoting_another(ann: Person, home: str) -> None:
    ann.opens(f"{home}hosts/")
    ann.clicks("fw-01")
    ann.looks_at("24-host")
    ann.clicks("Remove")
    ann.sees("fw-01 can't be removed now")
    ann.sees("fw-01 is the only manager: without it the swarm")
    ann.looks_at("25-removal-refused")
    ann.clicks("Promote fw-02")
    ann.watches_operation()
    ann.opens(f"{home}hosts/")
    ann.sees_row("fw-02", "Manager")
    ann.clicks("fw-01")
    ann.clicks("Remove")
    ann.sees("Its tasks move to other hosts first")
    ann.looks_at("26-remove-host")
    ann.clicks("Remove fw-01")
    ann.watches_operation()
    ann.opens(f"{home}hosts/")
    ann.sees_row("fw-02", "Manager", "Active")
    assert not any("fw-01" in row for row in ann.texts("#hosts tr"))
    ann.opens(f"{home}stacks/whoami/")
    ann.sees("2 of 2 tasks run", seconds=30)
    ann.finds_no_error_in_the_console()


def looks_at_every_other_page(ann: Person, home: str) -> None:
    for n, page in enumerate(("hosts", "stacks", "services", "networks", "operations", "settings"), start=30):
        ann.opens(f"{home}{page}/")
        ann.sees("Fleet demo")
        ann.looks_at(f"{n}-{page}")
        ann.finds_no_error_in_the_console()
    ann.opens(f"{home}services/")
    ann.clicks_on("#services a.fw-medium")
    ann.is_at("/services/")
    ann.looks_at("36-service")
    ann.opens("/environments/")
    ann.sees("Fleet demo")
    ann.looks_at("37-environments")
    ann.looks_at("37-environments", dark=True)
    ann.finds_no_error_in_the_console()


def removes_a_stack(ann: Person, home: str) -> None:
    ann.opens(f"{home}stacks/whoami/")
    ann.clicks("Remove")
    ann.sees("1 service with 2 running tasks")
    ann.clicks("Remove whoami")
    ann.watches_operation()
    ann.opens(f"{home}stacks/")
    ann.sees_row("ticker", "Running")
    assert not any("whoami" in row for row in ann.texts("#stacks tr"))
    ann.finds_no_error_in_the_console()


def deletes_the_environment(ann: Person, home: str, platform: Lab) -> None:
    ann.opens(f"{home}settings/")
    ann.clicks("Delete environment")
    ann.sees("2 machines with all data on them, 1 stack and")
    ann.field("Type the environment's name").send_keys("Fleet")
    ann.clicks("Delete this environment")
    ann.sees("Type the environment's name, Fleet demo, to delete it", "#id_typed_name_error")
    ann.looks_at("40-delete-environment")
    ann.finds_no_error_in_the_console(REFUSED)
    ann.types("Type the environment's name", "Fleet demo")
    ann.clicks("Delete this environment")
    ann.watches_operation()
    ann.looks_at("41-deleted")
    assert platform.leftovers() == []
    ann.clicks("Go to your environments")
    ann.sees("Create your first environment")
    ann.finds_no_error_in_the_console()
