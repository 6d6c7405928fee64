"""Accounts read from the files that clouds hand out."""

from __future__ import annotations

import pytest

from platform_manager.clouds.openstack.account import Account
from platform_manager.clouds.openstack.readers import read_file
from platform_manager.errors import UserError

HORIZON = """#!/usr/bin/env bash
# To use an OpenStack cloud you need to authenticate.
export OS_AUTH_URL=http://cloud.example.org:5000/v3
export OS_PROJECT_ID=4e3ca084c5ad4cb09ee607b3cbed9b7a
export OS_PROJECT_NAME="demo project"
export OS_USER_DOMAIN_NAME="Default"
if [ -z "$OS_USER_DOMAIN_NAME" ]; then unset OS_USER_DOMAIN_NAME; fi
export OS_PROJECT_DOMAIN_ID="default"
unset OS_TENANT_ID
export OS_USERNAME='ann'
echo "Please enter your OpenStack Password for project $OS_PROJECT_NAME as user $OS_USERNAME: "
read -sr OS_PASSWORD_INPUT
export OS_PASSWORD=$OS_PASSWORD_INPUT
export OS_REGION_NAME="Spain2"
if [ -z "$OS_REGION_NAME" ]; then unset OS_REGION_NAME; fi
export OS_INTERFACE=public
"""
CLOUDS = """
clouds:
  lab:
    auth: {auth_url: "http://10.0.0.1:5000", username: ann, password: pa55, project_name: demo, user_domain_id: d1}
    region_name: Spain2
  two:
    auth_type: v3applicationcredential
    auth: {auth_url: "https://x.example.org/v3", application_credential_id: i, application_credential_secret: s}
    regions: [north, {name: south}]
"""


def test_an_openrc_as_the_dashboard_hands_it_out() -> None:
    [(name, account)] = read_file(HORIZON).items()

    assert name == "demo project"
    assert account == Account(
        auth_url="http://cloud.example.org:5000/v3",
        region="Spain2",
        user="ann",
        project="demo project",
        project_id="4e3ca084c5ad4cb09ee607b3cbed9b7a",
        project_domain_id="default",
    )
    with pytest.raises(UserError, match="password") as caught:
        account.checked()
    assert caught.value.field == "password"


@pytest.mark.parametrize(
    ("written", "password"),
    [
        ("pa55", "pa55"),
        ("'pa$$ #1'", "pa$$ #1"),
        ('"two words"', "two words"),
        ("pa55 # mine", "pa55"),
        ("$(pass x)", ""),
    ],
)
def test_values_are_read_as_a_shell_would_and_never_run(written: str, password: str) -> None:
    [account] = read_file(f"OS_AUTH_URL=http://h:5000\nexport OS_PASSWORD={written}").values()

    assert account.password == password


def test_each_cloud_and_region_of_a_clouds_yaml() -> None:
    found = read_file(CLOUDS)

    assert list(found) == ["lab", "two (north)", "two (south)"]
    assert found["lab"].checked() == Account(
        "http://10.0.0.1:5000/v3", "Spain2", "ann", "pa55", project="demo", user_domain_id="d1"
    )
    assert found["two (south)"].checked().region == "south"
    assert found["two (south)"].by_credential


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "neither an openrc"),
        ("clouds: []", "neither an openrc"),
        ("clouds: {a: 1}", "section auth"),
        ("a: [", "line 1"),
        ("x" * 70_000, "64 KiB"),
        ("export OS_USERNAME=ann", "OS_AUTH_URL"),
    ],
)
def test_other_files_are_refused(content: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as caught:
        read_file(content)
    assert caught.value.field == "file"


@pytest.mark.parametrize("given", ["cloud.example.org:5000", "ftp://h", "http://", "http://h:x/v3", "http://u:p@h/v3"])
def test_an_auth_url_that_is_none_is_refused(given: str) -> None:
    with pytest.raises(UserError, match="looks like") as caught:
        Account(given, user="ann", password="x", project="demo").checked()
    assert caught.value.field == "auth_url"


def test_secrets_are_not_in_the_words_of_an_account() -> None:
    account = Account("http://h", user="ann", password="pa55word", credential_secret="53cret", ca="PEM")

    assert "pa55word" not in repr(account)
    assert "53cret" not in repr(account)
