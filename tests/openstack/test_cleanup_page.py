"""The clean-up page: what is in a project, whose it is, what may be chosen, and what is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from fake_openstack import PASSWORD, FakeOpenStack
from openstack_samples import Answer

from dashboard.flows import clouds
from dashboard.flows.cleanups import request_cleanup
from dashboard.models import AuditEntry, CloudAccount, CloudCleanup, Environment, OperationState
from platform_manager.clouds.openstack.marks import Mark
from platform_manager.errors import UserError
from tests import factories

pytestmark = pytest.mark.django_db
GONE = "01900000-0000-7000-8000-000000000000"


@pytest.fixture
def client(ann: User) -> Client:
    client = Client()
    client.force_login(ann)
    return client


@pytest.fixture
def project(fake: FakeOpenStack, environment: Environment, account: CloudAccount) -> dict[str, str]:
    """Keys of a thing for each whose it may be."""
    host = factories.host(environment, "fw-01", driver="openstack", account=account, provider_id="")
    ours, made = settings.PM_INSTALLATION, fake.resources
    of_host = Mark(ours, str(environment.pk), str(host.pk), "op-1")
    return {
        "host": f"server/{made.add_server('fw-01', metadata=of_host.metadata())['id']}",
        "environment": f"security group/{made.add_group('shop', Mark(ours, str(environment.pk)).description())['id']}",
        "left": f"server/{made.add_server('old-01', metadata=Mark(ours, GONE, GONE).metadata())['id']}",
        "another": f"floating IP/{made.add_ip(Mark('another', 'env-1').description())['id']}",
        "nobody": f"server/{made.add_server('blog')['id']}",
    }


def address(account: CloudAccount, name: str = "cloud_cleanup") -> str:
    return reverse(name, args=[account.pk])


def things(client: Client, account: CloudAccount) -> str:
    return client.get(address(account, "cloud_cleanup_things")).content.decode()


def press(client: Client, account: CloudAccount, *chosen: str, name: str = "demo") -> Any:
    return client.post(address(account), {"chosen": chosen, "typed_name": name})


def whose(client: Client, account: CloudAccount) -> dict[str, tuple[str, bool]]:
    """By key, the word that says whose a thing is and whether it can be chosen."""
    groups = client.get(address(account, "cloud_cleanup_things")).context["page"].groups
    rows = [row for group in groups for row in group.rows]
    return {row.thing.key: (row.badge.word, not row.claim.refusal) for row in rows}


# What is shown


def test_the_page_is_there_before_the_cloud_was_asked(fake: FakeOpenStack, client: Client, account: Any) -> None:
    before = len(fake.asked)

    page = client.get(address(account)).content.decode()

    assert "Asking the cloud" in page
    assert address(account, "cloud_cleanup_things") in page
    assert len(fake.asked) == before


def test_each_thing_has_a_word_for_whose_it_is(client: Client, account: CloudAccount, project: Any) -> None:
    assert whose(client, account) == {
        project["host"]: ("Host", False),
        project["environment"]: ("In use", False),
        project["left"]: ("Left over", True),
        project["another"]: ("Another platform's", True),
        project["nobody"]: ("Not the platform's", True),
    }


def test_what_belongs_to_the_platform_leads_to_it(
    client: Client, account: CloudAccount, environment: Environment, project: Any
) -> None:
    page = things(client, account)

    assert reverse("host", args=[environment.pk, environment.hosts.get().pk]) in page
    assert reverse("environment", args=[environment.pk]) in page


def test_a_host_whose_marks_were_taken_off_is_still_a_hosts(
    fake: FakeOpenStack, client: Client, account: CloudAccount, environment: Environment
) -> None:
    server = fake.resources.add_server("fw-02")
    factories.host(environment, "fw-02", driver="openstack", account=account, provider_id=server["id"])

    assert whose(client, account) == {f"server/{server['id']}": ("Host", False)}


def test_what_somebody_gave_a_host_by_hand_is_the_hosts(
    fake: FakeOpenStack, client: Client, account: CloudAccount, environment: Environment
) -> None:
    server = fake.resources.add_server("fw-02")
    factories.host(environment, "fw-02", driver="openstack", account=account, provider_id=server["id"])
    lost = Mark(settings.PM_INSTALLATION, GONE, GONE).description()
    ips = [fake.resources.add_ip(words, next(iter(fake.resources.ports))) for words in ("by hand", lost)]

    keys = [f"server/{server['id']}", *(f"floating IP/{ip['id']}" for ip in ips)]
    assert whose(client, account) == dict.fromkeys(keys, ("Host", False))


def test_names_of_other_peoples_environments_are_not_told(
    fake: FakeOpenStack, client: Client, account: CloudAccount
) -> None:
    theirs = factories.environment(name="Secret garden")
    host = factories.host(theirs, "rose-01")
    mark = Mark(settings.PM_INSTALLATION, str(theirs.pk), str(host.pk))
    fake.resources.add_server("x", metadata=mark.metadata())
    fake.resources.add_group("y", Mark(settings.PM_INSTALLATION, str(theirs.pk)).description())

    page = things(client, account)

    assert "somebody else" in page
    assert "Secret garden" not in page
    assert "rose-01" not in page


def test_marks_that_name_no_ids_are_left_over(fake: FakeOpenStack, client: Client, account: CloudAccount) -> None:
    forged = Mark(settings.PM_INSTALLATION, "'; DROP TABLE", "<b>x</b>")
    server = fake.resources.add_server("<b>web</b>", metadata=forged.metadata())

    assert whose(client, account) == {f"server/{server['id']}": ("Left over", True)}
    assert "<b>web</b>" not in things(client, account)


def test_what_is_used_says_by_whom(fake: FakeOpenStack, client: Client, account: CloudAccount) -> None:
    group = fake.resources.add_group("web")
    fake.resources.add_server("web-1", groups=[group["id"]])
    fake.resources.add_ip()

    page = things(client, account)

    assert "used by web-1" in page
    assert "unused" in page


def test_a_cloud_that_fails_is_a_sentence_in_place(fake: FakeOpenStack, client: Client, account: CloudAccount) -> None:
    fake.trouble("GET /network/v2.0/ports", Answer(500, ""))

    page = things(client, account)

    assert "service fails" in page
    assert PASSWORD not in page


def test_an_empty_project_says_so(client: Client, account: CloudAccount) -> None:
    assert "The project is empty" in things(client, account)


# What is asked for


def test_what_was_chosen_is_asked_for_in_order_of_removal(client: Client, account: Any, project: Any) -> None:
    answer = press(client, account, project["another"], project["left"])

    assert answer.status_code == 302
    made = CloudCleanup.objects.get()
    assert [(thing["name"], thing["ours"], thing["state"]) for thing in made.things] == [
        ("old-01", True, "queued"),
        ("10.89.1.100", False, "queued"),
    ]
    entry = AuditEntry.objects.get(action="cloud_account.clean_up")
    assert (entry.outcome, entry.actor, entry.object_id) == ("requested", "ann", str(account.pk))
    assert entry.detail["things"] == ["server old-01", "floating IP 10.89.1.100"]


@pytest.mark.parametrize("name", ["", "Demo", "other"])
def test_without_the_projects_name_nothing_is_asked_for(
    client: Client, account: CloudAccount, project: Any, name: str
) -> None:
    answer = press(client, account, project["left"], name=name)

    assert answer.status_code == 422
    assert list(answer.context["page"].form.errors) == ["typed_name"]
    assert f'value="{project["left"]}" data-kind="server" data-left checked' in answer.content.decode()
    assert not CloudCleanup.objects.exists()


@pytest.mark.parametrize(
    ("chosen", "sentence"), [("host", "remove the host instead"), ("environment", "goes with it"), ("gone", "any more")]
)
def test_what_can_not_be_chosen_is_refused(
    client: Client, account: CloudAccount, project: Any, chosen: str, sentence: str
) -> None:
    answer = press(client, account, project["left"], {**project, "gone": "server/gone"}[chosen])

    assert sentence in answer.context["page"].form.errors["chosen"][0]
    assert not CloudCleanup.objects.exists()


def test_nothing_and_too_much_are_refused(client: Client, account: CloudAccount) -> None:
    for chosen in ([], [f"server/{n}" for n in range(201)]):
        assert list(press(client, account, *chosen).context["page"].form.errors) == ["chosen"]


def test_a_second_clean_up_waits_for_the_end_of_the_first(client: Client, account: CloudAccount, project: Any) -> None:
    press(client, account, project["left"])

    answer = press(client, account, project["nobody"])

    assert answer.status_code == 422
    assert "running" in answer.content.decode()
    with pytest.raises(UserError, match="running"):
        request_cleanup(account, [project["nobody"]], typed_name="demo", by=account.owner)
    assert CloudCleanup.objects.count() == 1


def test_while_one_runs_the_account_stays_and_keeps_its_region(client: Client, account: CloudAccount) -> None:
    running = factories.cleanup(account, ("server", "old"), state=OperationState.RUNNING)
    account.regions = ["Spain2", "Lannion"]

    with pytest.raises(UserError, match="running"):
        clouds.delete_account(account, by=account.owner)
    with pytest.raises(UserError, match="running"):
        clouds.change_account(account, by=account.owner, name="Lab", region="Lannion")

    running.state = OperationState.FAILED
    running.save()
    clouds.delete_account(account, by=account.owner)
    assert not CloudAccount.objects.exists()


def test_a_choice_is_refused_with_its_reason_where_the_project_is_empty_by_then(
    fake: FakeOpenStack, client: Client, account: CloudAccount
) -> None:
    server = fake.resources.add_server("blog")
    fake.resources._gone(server["id"])

    page = press(client, account, f"server/{server['id']}").content.decode()

    assert "One of the things chosen is not in the project (any more)." in page
    assert "The project is empty" in page


def test_a_choice_is_refused_with_its_reason_where_the_cloud_fails_by_then(
    fake: FakeOpenStack, client: Client, account: CloudAccount
) -> None:
    fake.trouble("GET /network/v2.0/ports", Answer(500, ""))

    page = press(client, account, "server/1", name="other").content.decode()

    assert "Type demo to confirm." in page


# How it goes


def test_a_running_clean_up_is_asked_for_until_it_ends(client: Client, account: CloudAccount) -> None:
    row = factories.cleanup(account, ("server", "old-01"), state=OperationState.RUNNING)

    answer = client.get(address(account, "cloud_cleanup_progress"))
    assert 'hx-trigger="every 2s"' in answer.content.decode()
    assert "HX-Trigger-After-Swap" not in answer.headers
    assert "once the clean-up has ended" in things(client, account)

    row.delete()
    factories.cleanup(account, ("server", "old-01"), ("volume", "data"))
    answer = client.get(address(account, "cloud_cleanup_progress"))
    assert "every 2s" not in answer.content.decode()
    assert "2 of 2 deleted" in answer.content.decode()
    assert answer.headers["HX-Trigger-After-Swap"] == "cleanup-ended"


def test_earlier_clean_ups_stay_with_their_results(client: Client, account: CloudAccount) -> None:
    factories.cleanup(account, ("volume", "data"), state=OperationState.FAILED)
    factories.cleanup(account, ("server", "old-01"))

    page = client.get(address(account)).content.decode()

    assert page.index("1 of 1 deleted") < page.index("Earlier clean-ups") < page.index("0 of 1 deleted")


# What is left over


def left(account: CloudAccount, *keys: str) -> None:
    """What the last look found, "old-01" and "data" where nothing is said."""
    rows = [dict(zip(("kind", "id"), key.split("/"), strict=True)) for key in keys or ("server/1", "volume/2")]
    account.leftovers = [{**row, "name": name} for row, name in zip(rows, ("old-01", "data"), strict=False)]
    account.save()


def remove_left(client: Client, account: CloudAccount, *, follow: bool = False) -> Callable[[], Any]:
    """Presses the button of the account's page as it is now."""
    page = client.get(reverse("cloud_account", args=[account.pk])).content.decode()
    listed = re.findall('name="chosen" value="([^"]*)"', page)
    return lambda: client.post(address(account, "cloud_leftovers_remove"), {"chosen": listed}, follow=follow)


def test_the_account_says_what_is_left_over(client: Client, account: CloudAccount) -> None:
    assert "left over" not in client.get(reverse("cloud_account", args=[account.pk])).content.decode()
    left(account)

    page = client.get(reverse("cloud_account", args=[account.pk])).content.decode()

    assert "2 things are left over" in page
    assert "server old-01, volume data" in page
    assert address(account, "cloud_leftovers_remove") in page


def test_of_what_was_listed_what_is_left_over_still_is_removed(
    client: Client, account: CloudAccount, project: dict[str, str]
) -> None:
    left(account, project["left"], "volume/gone")

    answer = remove_left(client, account, follow=True)()

    assert answer.redirect_chain[-1][0] == address(account)
    assert "Only 1 of 2 things listed are left over still." in answer.content.decode()
    assert [thing["name"] for thing in CloudCleanup.objects.get().things] == ["old-01"]


def test_what_became_left_over_after_the_page_was_shown_is_not_removed(
    fake: FakeOpenStack, client: Client, account: CloudAccount, project: dict[str, str]
) -> None:
    left(account, project["left"])
    press_remove = remove_left(client, account)
    fake.resources.add_server("lost since", metadata=Mark(settings.PM_INSTALLATION, GONE, GONE).metadata())

    press_remove()

    assert [thing["name"] for thing in CloudCleanup.objects.get().things] == ["old-01"]


def test_where_nothing_of_it_is_left_over_any_more_the_account_says_what_is(
    client: Client, account: CloudAccount, project: dict[str, str]
) -> None:
    left(account)

    answer = remove_left(client, account, follow=True)()

    assert "Nothing of what was listed is left over any more." in answer.content.decode()
    account.refresh_from_db()
    assert [f"{one['kind']}/{one['id']}" for one in account.leftovers] == [project["left"]]
    assert not CloudCleanup.objects.exists()


def test_more_leftovers_than_a_clean_up_takes_are_refused(client: Client, account: CloudAccount) -> None:
    shown = [f"server/{n}" for n in range(201)]

    answer = client.post(address(account, "cloud_leftovers_remove"), {"chosen": shown}, follow=True)

    assert "200 at a time is the most" in answer.content.decode()


def test_a_cloud_that_fails_when_leftovers_are_removed_is_a_sentence(
    fake: FakeOpenStack, client: Client, account: CloudAccount
) -> None:
    left(account)
    fake.trouble("GET /compute/v2.1/servers", Answer(500, ""))

    answer = client.post(address(account, "cloud_leftovers_remove"), follow=True)

    assert "service fails" in answer.content.decode()
    assert not CloudCleanup.objects.exists()


def test_more_than_a_clean_up_takes_is_refused_with_a_sentence(
    fake: FakeOpenStack, client: Client, account: CloudAccount
) -> None:
    fake.resources.add_server("blog")

    answer = press(client, account, *(f"server/{n}" for n in range(5_000)))

    assert answer.status_code == 422
    assert "5000 things are chosen; 200 at a time is the most." in answer.content.decode()
