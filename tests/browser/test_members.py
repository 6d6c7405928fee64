"""Two people share an environment, each at a browser: inviting, lowering, removing, as they see it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.browser.chrome import chrome
from tests.browser.conftest import PASSWORD
from tests.browser.pages import Person
from tests.support.lab import Lab

pytestmark = [pytest.mark.engine, pytest.mark.browser]


@pytest.fixture(scope="module")
def bob(platform: Lab) -> Iterator[Person]:
    with chrome() as driver:
        yield Person(driver, platform.url)


def test_an_environment_is_shared_and_taken_away_again(ann: Person, bob: Person) -> None:
    ann.signs_in("ann", PASSWORD)
    ann.creates_environment("Shared shop", "Evaluation")
    home = ann.goes_to_the_new_environment()
    bob.signs_in("bob", PASSWORD)
    bob.sees("Create your first environment")

    # Ann invites; bob's open page shows it, and he accepts.
    ann.clicks("Members")
    ann.looks_at("members-empty")
    ann.clicks("Invite")
    ann.types("User name or e-mail address", "bobb")
    ann.clicks("Invite", within="content")
    ann.sees("Nobody here has the user name bobb")
    ann.types("User name or e-mail address", "bob")
    ann.clicks("Invite", within="content")
    ann.sees("bob is invited as member")
    assert ann.value("#invitation-link").startswith(f"{ann.url}/invitations/")
    ann.looks_at("invitation-made")
    ann.clicks("Done")
    ann.sees_row("bob", "Member", css="#invited tr")
    bob.sees("ann invites you to Shared shop as member", "#my-invitations")
    bob.looks_at("invited")
    bob.looks_at("invited", dark=True)
    bob.clicks("Accept Shared shop")
    bob.is_at(f"^{home}$")
    ann.sees_row("bob", "Member", css="#members tr")
    ann.looks_at("members")
    ann.looks_at("members", dark=True)

    # A lowered role takes the buttons from his open page.
    bob.sees("Add hosts", "#buttons")
    bob.marks_the_page()
    ann.clicks("Change bob")
    ann.clicks_on("label:has(input[value=read_only])")
    ann.clicks("Save")
    ann.sees_row("bob", "Read-only", css="#members tr")
    bob.no_longer_sees("Add hosts", "#buttons", seconds=5)
    assert bob.page_was_not_loaded_again

    # A removed member's open page goes away.
    ann.clicks("Change bob")
    ann.clicks("Remove bob")
    ann.clicks("Remove", within="remove")
    began = time.monotonic()
    bob.sees("There is nothing here for you", seconds=5)
    assert time.monotonic() - began < 5
    ann.sees("bob is no member any more")
    bob.opens("/environments/")
    bob.sees("Create your first environment")

    ann.finds_no_error_in_the_console("422")
    bob.finds_no_error_in_the_console("404", "WebSocket")
    assert not ann.too_wide + bob.too_wide


def test_the_last_owner_is_told_why_and_what_to_do(ann: Person) -> None:
    ann.clicks("Members")
    ann.clicks("Leave")
    ann.sees("You are the last owner of Shared shop")
    ann.looks_at("leave-refused")
    ann.clicks("Hand over")
    ann.sees("There is nobody to hand it to")
    ann.finds_no_error_in_the_console("422")
