"""The main job as a user does it, in a real browser on three nested engines, from signing in to nothing left."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.catalog import looks_through_the_catalog
from tests.browser.conftest import PASSWORD
from tests.browser.pages import Person
from tests.browser.stacks import (
    deploys_a_ticker_and_reads_its_logs,
    deploys_the_whoami_recipe,
    deploys_what_can_not_run,
    removes_a_stack,
    sees_what_going_back_would_change,
    updates_whoami,
)
from tests.support.lab import Lab, docker, until

pytestmark = [pytest.mark.engine, pytest.mark.browser]

REFUSED = "status of 422"


def test_the_main_job_from_signing_in_to_nothing_left(platform: Lab, ann: Person, tmp_path: Path) -> None:
    signs_in_and_reads_what_to_do_first(ann)
    home = creates_an_environment(ann)
    adds_three_hosts(ann, home)
    deploys_the_whoami_recipe(ann, home)
    deploys_a_ticker_and_reads_its_logs(ann, home)
    updates_whoami(ann, home)
    sees_what_going_back_would_change(ann, home)
    deploys_what_can_not_run(ann, home)
    watches_a_host_go_and_come_back(ann, home, platform)
    removes_the_only_manager_after_promoting_another(ann, home)
    looks_at_every_other_page(ann, home)
    looks_through_the_catalog(ann, home, tmp_path)
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
    home = ann.goes_to_the_new_environment()
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
    ann.sees("1000 hosts can't be added at once: choose 1 to 20", "#quantity-error")
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
    """Hosts, steps and log lines come to the page that stands, in order, each once."""
    ann.is_at("/operations/")
    ann.marks_the_page()
    ann.sees("Running", "#operation-badge")
    for name in ("fw-01", "fw-02", "fw-03"):
        ann.sees_row(name, css="#operation-hosts tr")
    first = until(lambda: ann.count("#steps .line"), what="log lines arrive")
    until(lambda: ann.count("#steps .line") > first, what="more log lines arrive")
    ann.looks_at("08-operation-running")
    # The first manager is active while the others still join.
    ann.sees_row("fw-01", "Active", css="#operation-hosts tr", seconds=90)
    ann.watches_operation()
    assert ann.count("#operation-hosts tr") == 0
    assert ann.page_was_not_loaded_again
    live = ann.texts("#steps .line, #steps .step-title, #steps .step-word")
    assert set(ann.texts("#steps .step-word")) <= {"Done", "Skipped"}
    ann.opens(ann.path)
    assert ann.texts("#steps .line, #steps .step-title, #steps .step-word") == live


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
    for n, page in enumerate(("hosts", "stacks", "services", "networks", "operations", "settings", "ports"), start=30):
        ann.opens(f"{home}{page}/")
        ann.sees("Fleet demo")
        ann.looks_at(f"{n}-{page}")
        ann.finds_no_error_in_the_console()
    ann.opens(f"{home}services/")
    ann.clicks_on("#services a.fw-medium")
    ann.is_at("/services/")
    ann.looks_at("37-service")
    ann.opens("/environments/")
    ann.sees("Fleet demo")
    ann.looks_at("38-environments")
    ann.looks_at("38-environments", dark=True)
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
