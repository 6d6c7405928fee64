"""Cloud accounts: verified before they are kept, shared for use only, never shown again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse
from fake_openstack import PASSWORD, SECRET, FakeOpenStack

from dashboard.flows import clouds
from dashboard.models import AuditEntry, CloudAccount, CloudPreset, Environment, MemberRole
from platform_manager import wiring
from platform_manager.errors import UserError
from tests import factories

pytestmark = pytest.mark.django_db

OPENRC = """\
export OS_AUTH_URL={url}
export OS_PROJECT_NAME="demo"
export OS_USERNAME="ann"
echo "Please enter your OpenStack Password: "
read -sr OS_PASSWORD_INPUT
export OS_PASSWORD=$OS_PASSWORD_INPUT
export OS_REGION_NAME="Spain2"
"""
CLOUDS = """\
clouds:
  lab:
    auth: {{auth_url: "{url}", username: ann, password: "{password}", project_name: demo}}
    region_name: Spain2
  other:
    auth: {{auth_url: "{url}", username: bob, password: wrong-of-bob, project_name: demo}}
    region_name: Spain2
"""


@pytest.fixture
def client(ann: User) -> Client:
    client = Client()
    client.force_login(ann)
    return client


def given(fake: FakeOpenStack, **more: Any) -> dict[str, Any]:
    """A form filled in rightly."""
    right = {"way": "password", "auth_url": fake.url, "user": "ann", "password": PASSWORD, "project": "demo"}
    return {"name": "Lab", "region": "Spain2", "preset": "", **right, **more}


def add(client: Client, data: dict[str, Any], *, background: bool = False) -> Any:
    headers = {"HX-Request": "true"} if background else {}
    return client.post(reverse("cloud_account_new"), data, headers=headers)


def errors(answer: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = answer.context["form"].errors
    return found


# Adding


def test_an_account_by_form_is_checked_and_kept_encrypted(fake: FakeOpenStack, client: Client) -> None:
    assert add(client, given(fake)).status_code == 302
    made = CloudAccount.objects.get()
    assert (made.project, made.region, made.user, made.problem) == ("demo", "Spain2", "ann", "")
    assert made.verified_at is not None
    assert made.access().password == PASSWORD
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM dashboard_cloudaccount")
        assert PASSWORD not in str(cursor.fetchall())


def test_a_pasted_openrc_needs_only_the_password_that_it_asks_for(fake: FakeOpenStack, client: Client) -> None:
    pasted = {"name": "Lab", "way": "file", "pasted": OPENRC.format(url=fake.url)}
    answer = add(client, pasted)
    assert answer.status_code == 422
    assert errors(answer) == {"password": ["Give the password."]}
    assert add(client, {**pasted, "password": PASSWORD}).status_code == 302
    assert CloudAccount.objects.get().project == "demo"


def test_an_uploaded_clouds_yaml_with_several_clouds_asks_for_one(fake: FakeOpenStack, client: Client) -> None:
    text = CLOUDS.format(url=fake.url, password=PASSWORD).encode()

    def upload(**more: str) -> Any:
        return add(client, {"name": "Lab", "way": "file", "file": SimpleUploadedFile("clouds.yaml", text), **more})

    assert errors(upload()) == {"cloud": ["The file has several clouds: choose one of lab, other."]}
    assert upload(cloud="lab").status_code == 302
    assert CloudAccount.objects.get().user == "ann"


def test_an_application_credential(fake: FakeOpenStack, client: Client) -> None:
    data = {"name": "Lab", "way": "credential", "auth_url": fake.url, "region": "Spain2", "credential_id": "cred-1"}
    wrong = add(client, {**data, "credential_secret": "wrong-of-ann"})
    assert list(errors(wrong)) == ["credential_secret"]
    assert add(client, {**data, "credential_secret": SECRET}).status_code == 302


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"auth_url": "cloud.example.org"}, "auth_url"),
        ({"password": "wrong-of-ann"}, "password"),
        ({"region": "Nowhere"}, "region"),
        ({"project": ""}, "project"),
        ({"name": " "}, "name"),
    ],
    ids=["url", "password", "region", "project", "name"],
)
def test_what_is_wrong_is_said_at_its_field(fake: FakeOpenStack, client: Client, wrong: Any, field: str) -> None:
    answer = add(client, given(fake, **wrong))
    assert answer.status_code == 422
    assert list(errors(answer)) == [field]
    assert not CloudAccount.objects.exists()


def test_a_region_without_a_service_is_named(client: Client) -> None:
    with FakeOpenStack(services=("network", "image")) as fake:
        answer = add(client, given(fake))
    assert "no compute service" in errors(answer)["region"][0]


def test_in_the_background_only_errors_come_back_never_what_was_typed(fake: FakeOpenStack, client: Client) -> None:
    wrong = add(client, given(fake, password="wrong-of-ann"), background=True)
    assert wrong.status_code == 200
    assert 'id="error-password"' in wrong.content.decode()
    assert "wrong-of-ann" not in wrong.content.decode()
    right = add(client, given(fake), background=True)
    assert right.headers["HX-Redirect"] == reverse("cloud_accounts")


def test_what_was_pasted_or_typed_in_secret_is_not_sent_back(fake: FakeOpenStack, client: Client) -> None:
    pasted = CLOUDS.format(url=fake.url, password=PASSWORD)
    answer = add(client, {"name": "", "way": "file", "pasted": pasted, "password": PASSWORD})
    assert answer.status_code == 422
    assert PASSWORD not in answer.content.decode()


def test_of_several_regions_one_is_chosen_after_signing_in(client: Client) -> None:
    with FakeOpenStack(regions=("Lannion", "Spain2")) as fake:
        answer = add(client, given(fake, region=""))
        made = CloudAccount.objects.get()
        address = reverse("cloud_account", args=[made.pk])
        assert answer.headers["Location"] == address
        assert made.look.colour == "yellow"
        assert not CloudAccount.objects.usable_by(made.owner, factories.environment(made.owner)).exists()
        assert client.post(address, {"name": "Lab", "region": "Spain2", "secret": ""}).status_code == 302
    made.refresh_from_db()
    assert (made.region, made.regions) == ("Spain2", ["Lannion", "Spain2"])


def test_the_only_region_needs_no_choice(fake: FakeOpenStack, client: Client) -> None:
    assert add(client, given(fake, region="")).status_code == 302
    assert CloudAccount.objects.get().region == "Spain2"


def test_a_cloud_at_home_is_refused_unless_operators_allow_it(
    fake: FakeOpenStack, client: Client, settings: Any
) -> None:
    settings.PM_PRIVATE_CLOUDS = False
    assert "PM_PRIVATE_CLOUDS" in errors(add(client, given(fake)))["auth_url"][0]
    typed = CloudPreset.objects.create(slug="typed", name="Typed", private=True)
    assert list(errors(add(client, given(fake, preset=typed.pk)))) == ["auth_url"]
    known = CloudPreset.objects.create(slug="home", name="Home", private=True, auth_url=fake.url)
    assert add(client, given(fake, preset=known.pk, auth_url="")).status_code == 302
    assert CloudAccount.objects.get().may_be_private


def test_credentials_for_one_cloud_never_go_to_another(fake: FakeOpenStack, client: Client) -> None:
    preset = CloudPreset.objects.create(slug="other", name="Other", auth_url=fake.url)
    pasted = OPENRC.format(url="https://cloud.example.org:5000/v3")
    answer = add(client, {"name": "Lab", "way": "file", "pasted": pasted, "password": PASSWORD, "preset": preset.pk})
    assert list(errors(answer)) == ["preset"]
    assert fake.asked == []


def test_a_preset_allows_its_regions_only(client: Client) -> None:
    with FakeOpenStack(regions=("Lannion", "Spain2")) as fake:
        preset = CloudPreset.objects.create(slug="one", name="One", auth_url=fake.url, regions=["Spain2"])
        answer = add(client, given(fake, preset=preset.pk, region="Lannion"))
        assert "only these regions" in errors(answer)["region"][0]
        assert add(client, given(fake, preset=preset.pk, region="")).status_code == 302
    assert CloudAccount.objects.get().regions == ["Spain2"]


def test_the_fiware_lab_is_there_from_the_start() -> None:
    lab = CloudPreset.objects.get(slug="fiware-lab")
    assert (lab.network, lab.pool) == ("node-int-net-01", "public-ext-net-01")


# Afterwards


def test_a_password_is_changed_only_where_the_cloud_takes_it(
    fake: FakeOpenStack, client: Client, account: CloudAccount
) -> None:
    address = reverse("cloud_account", args=[account.pk])
    refused = client.post(address, {"name": "Lab", "region": "Spain2", "secret": "wrong-of-ann"})
    assert refused.status_code == 422
    assert list(errors(refused)) == ["secret"]
    account.refresh_from_db()
    assert account.access().password == PASSWORD
    assert client.post(address, {"name": "Other", "region": "Spain2", "secret": PASSWORD}).status_code == 302


def test_an_account_that_stopped_working_says_so(fake: FakeOpenStack, client: Client, account: CloudAccount) -> None:
    account.secret = {**account.secret, "password": "expired-of-ann"}
    account.save()
    client.post(reverse("cloud_account_check", args=[account.pk]))
    account.refresh_from_db()
    assert account.look.colour == "red"
    page = client.get(reverse("cloud_accounts")).content.decode()
    assert "Not working" in page
    assert "expired-of-ann" not in page


def test_no_page_shows_a_secret_and_strangers_see_nothing(client: Client, account: CloudAccount) -> None:
    stranger = Client()
    stranger.force_login(factories.user("eve", is_staff=True))
    for name in ("cloud_account", "cloud_account_check", "cloud_account_share", "cloud_account_delete"):
        address = reverse(name, args=[account.pk])
        assert stranger.post(address).status_code == 404
    for address in (reverse("cloud_accounts"), reverse("cloud_account", args=[account.pk])):
        assert PASSWORD not in client.get(address).content.decode()
    assert PASSWORD not in str(list(AuditEntry.objects.values()))


def test_it_is_shared_with_environments_where_the_owner_may_add_hosts(
    client: Client, account: CloudAccount, environment: Environment, ann: User
) -> None:
    looked_at = factories.environment(name="Looked at")
    factories.member(looked_at, ann, MemberRole.READ_ONLY)
    bob = factories.member(environment)
    address = reverse("cloud_account_share", args=[account.pk])
    client.post(address, {"environments": [str(looked_at.pk)]})
    assert not account.environments.exists()
    client.post(address, {"environments": [str(environment.pk)]})
    assert list(account.environments.all()) == [environment]
    assert CloudAccount.objects.usable_by(bob, environment).get() == account
    client.post(address, {"environments": []})
    assert not CloudAccount.objects.usable_by(bob, environment).exists()


def test_it_is_not_deleted_while_hosts_are_made_with_it(
    client: Client, account: CloudAccount, environment: Environment
) -> None:
    host = factories.host(environment, "fw-01", driver="openstack", account=account)
    with pytest.raises(UserError, match="1 host of Shop is made with this account"):
        clouds.delete_account(account, by=account.owner)
    host.delete()
    assert client.post(reverse("cloud_account_delete", args=[account.pk])).status_code == 302
    assert not CloudAccount.objects.exists()


def test_names_differ(fake: FakeOpenStack, client: Client, account: CloudAccount) -> None:
    assert "already" in errors(add(client, given(fake, name="LAB")))["name"][0]


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Something happens while the cloud is asked about an account."""
    asked = wiring.verify

    def verify(*args: Any, **more: Any) -> Any:
        happens()
        return asked(*args, **more)

    monkeypatch.setattr(wiring, "verify", verify)


def test_the_region_stays_where_hosts_came_while_the_other_one_was_asked(
    fake: FakeOpenStack, account: CloudAccount, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.regions = ("Spain2", "Trento")
    meanwhile(monkeypatch, lambda: factories.host(environment, "fw-01", driver="openstack", account=account))
    with pytest.raises(UserError, match="Hosts use this account in its region"):
        clouds.change_account(account, by=account.owner, name="Lab", region="Trento")
    account.refresh_from_db()
    assert account.region == "Spain2"


def test_a_check_does_not_put_back_what_was_changed_meanwhile(
    fake: FakeOpenStack, account: CloudAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = {**account.secret, "password": "newer"}

    def change() -> None:
        row = CloudAccount.objects.get(pk=account.pk)
        row.secret, row.leftovers = newer, [{"kind": "server", "id": "s-1", "name": "old"}]
        row.save()

    meanwhile(monkeypatch, change)
    clouds.check_account(account)
    account.refresh_from_db()
    assert (account.secret, len(account.leftovers)) == (newer, 1)
