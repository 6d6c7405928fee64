"""What the main job does with stacks: deploys, updates, fails and removes them."""

from __future__ import annotations

from tests.browser.logs import (
    follows_the_link_of_a_task,
    scrolls_up_and_jumps_to_the_end,
    searches,
    tells_of_before_in_order,
    told_apart,
)
from tests.browser.pages import Person
from tests.support.lab import until

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
    tells_of_before_in_order(ann)
    scrolls_up_and_jumps_to_the_end(ann)
    searches(ann)
    told_apart(ann)
    follows_the_link_of_a_task(ann)
    ann.finds_no_error_in_the_console()


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


def sees_what_going_back_would_change(ann: Person, home: str) -> None:
    ann.opens(f"{home}stacks/whoami/revisions/1/roll-back/")
    ann.sees("whoami_web", "#plan")
    ann.sees("1 to change", "#plan")
    ann.looks_at("19-roll-back")
    ann.looks_at("19-roll-back", dark=True)
    ann.clicks("Cancel")
    ann.is_at("/stacks/whoami/")
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


def removes_a_stack(ann: Person, home: str) -> None:
    ann.opens(f"{home}stacks/whoami/")
    # Its hosts may have changed just before.
    ann.sees("2 of 2 tasks run")
    ann.clicks("Remove")
    ann.is_at("/stacks/whoami/remove/")
    ann.sees("1 service with 2 running tasks", "#content")
    ann.clicks("Remove whoami")
    ann.watches_operation()
    ann.opens(f"{home}stacks/")
    ann.sees_row("ticker", "Running")
    assert not any("whoami" in row for row in ann.texts("#stacks tr"))
    ann.finds_no_error_in_the_console()
