"""Machines are removed and stopped behind the platform's back; the open pages show it, and the hosts come back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.conftest import PASSWORD, make_user
from tests.browser.pages import Person
from tests.support.lab import Lab, docker, running_lab

pytestmark = [pytest.mark.engine, pytest.mark.browser]
NOTICED_SECONDS = 60


@pytest.fixture(scope="module")
def platform() -> Iterator[Lab]:
    """One that looks every second."""
    with running_lab(PM_DATABASE_URL="", PM_CLOUD_WATCH_SECONDS="1") as lab:
        lab.start_platform()
        make_user(lab, "ann")
        yield lab


def container(lab: Lab, name: str) -> str:
    label = f"label=platform-manager.installation={lab.installation}"
    return docker("ps", "-aq", "--filter", label, "--filter", f"name={name}").strip()


def test_a_lost_and_a_stopped_machine_come_back(ann: Person, platform: Lab) -> None:
    ann.signs_in("ann", PASSWORD)
    ann.creates_environment("Shop", "Standard")
    home = ann.goes_to_the_new_environment()
    ann.opens(f"{home}hosts/add/")
    ann.types("Name prefix", "fw")
    ann.types("How many", "3")
    ann.clicks("Add hosts", within="content")
    ann.watches_operation()
    ann.opens(home)
    ann.sees_row("fw-02", "Active", css="#hosts tr", seconds=30)

    # Deleted: seen on the open overview, the list and the host's own page.
    ann.marks_the_page()
    docker("rm", "-f", container(platform, "fw-02"))
    ann.sees("fw-02 is gone.", "#summary", seconds=NOTICED_SECONDS)
    ann.sees_row("fw-02", "Gone", "deleted outside the platform", css="#hosts tr")
    assert ann.page_was_not_loaded_again
    ann.looks_at("machines-overview")
    ann.clicks("See the hosts")
    ann.sees_row("fw-02", "Gone", css="#hosts tr")
    ann.looks_at("machines-hosts")
    ann.clicks("fw-02")
    ann.sees("It was deleted outside the platform", "#host-state")
    ann.looks_at("machine-gone")
    ann.looks_at("machine-gone", dark=True)

    # Recreated, once it is said what goes and what stays.
    ann.clicks("Recreate")
    ann.is_at("/recreate/$")
    ann.sees("no other manager may fail")
    ann.looks_at("host-recreate")
    ann.looks_at("host-recreate", dark=True)
    ann.clicks("Recreate fw-02")
    ann.watches_operation()
    ann.looks_at("operation-recreated")
    ann.opens(home)
    ann.sees_row("fw-02", "Active", css="#hosts tr", seconds=30)
    ann.no_longer_sees("changed outside the platform", "#summary")

    # Stopped: started again from the host's page.
    ann.clicks("fw-03")
    ann.marks_the_page()
    docker("stop", "-t", "0", container(platform, "fw-03"))
    ann.sees("It was shut down outside the platform", "#host-state", seconds=NOTICED_SECONDS)
    assert ann.page_was_not_loaded_again
    ann.looks_at("machine-stopped")
    ann.clicks("Start the machine")
    ann.looks_at("machine-start-asked")
    ann.clicks("Start", within="start")
    ann.watches_operation()

    # Without a majority it is refused, with what to do instead.
    ann.opens(home)
    ann.sees_row("fw-03", "Active", css="#hosts tr", seconds=30)
    for name in ("fw-01", "fw-02"):
        docker("stop", "-t", "0", container(platform, name))
    for name in ("fw-01", "fw-02"):
        ann.sees_row(name, "Stopped", css="#hosts tr", seconds=NOTICED_SECONDS)
    ann.clicks("fw-01")
    ann.clicks("Recreate")
    ann.sees("Only 1 of 3 managers answer")
    ann.looks_at("host-recreate-refused")
    assert ann.count("form[action$='/start/'] button") == 1
    assert ann.too_wide == []
    ann.finds_no_error_in_the_console()
