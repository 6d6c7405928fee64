"""What an address shows, and what is put back where it is asked for."""

from __future__ import annotations

import pytest

from platform_manager.catalogs import hidden
from platform_manager.errors import UserError

LIST = "https://lists.example.org/t.json"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (f"{LIST}?token=s3cret", f"{LIST}?token=••••"),
        (f"{LIST}?ref=main&sig=a%2Fb=&x", f"{LIST}?ref=main&sig=••••&••••"),
        (f"{LIST}?s3cret", f"{LIST}?••••"),
        (f"{LIST}?REF=main&raw&empty=", f"{LIST}?REF=main&raw&empty="),
        ("https://ann:pa%40ss@lists.example.org:8443/t.json", "https://lists.example.org:8443/t.json"),
        ("HTTPS://ann:a@b@lists.example.org?token=a?b", "HTTPS://lists.example.org?token=••••"),
        (f"{LIST}#s3cret", LIST),
        (LIST, LIST),
        ("/srv/recipes?a=b", "/srv/recipes?a=b"),
    ],
)
def test_an_address_is_shown_without_what_may_be_a_secret(address: str, shown: str) -> None:
    assert hidden.shown(address) == shown
    assert hidden.shown(shown) == shown


def test_what_is_asked_for_is_what_was_given() -> None:
    found = hidden.apart("https://ann:pa%40ss@lists.example.org/t.json?ref=main&token=a%2Fb&token=c#x")
    assert found.whole == "https://lists.example.org/t.json?ref=main&token=a%2Fb&token=c"
    assert (found.user, found.password) == ("ann", "pa@ss")
    assert hidden.whole(found.shown, found.query) == found.whole


def test_a_mask_stands_for_what_was_there_at_the_same_server() -> None:
    known = hidden.apart(f"{LIST}?token=one&token=two&ref=main")
    for typed, whole in (
        (known.shown, known.whole),
        (known.shown.replace("•", "%E2%80%A2"), known.whole),
        (
            "https://lists.example.org/other.json?ref=next&token=••••",
            "https://lists.example.org/other.json?ref=next&token=one",
        ),
        (f"{LIST}?token=new&token=••••", f"{LIST}?token=new&token=one"),
        (f"{LIST}?token=new", f"{LIST}?token=new"),
        (LIST, LIST),
    ):
        assert hidden.renewed(typed, known.shown, known.query) == whole


@pytest.mark.parametrize(
    "typed",
    [
        "https://elsewhere.example.org/t.json?token=••••",
        "http://lists.example.org/t.json?token=••••",
        "https://lists.example.org:8443/t.json?token=••••",
        f"{LIST}?other=••••",
        f"{LIST}?token=••••&token=••••",
        f"{LIST}?token=x••••",
        "https://lists.example.org/••••",
    ],
)
def test_a_mask_that_nothing_is_known_for_is_refused(typed: str) -> None:
    with pytest.raises(UserError) as refused:
        hidden.renewed(typed, f"{LIST}?token=••••", "token=s3cret")
    assert refused.value.field == "address"
    assert "s3cret" not in str(refused.value)
