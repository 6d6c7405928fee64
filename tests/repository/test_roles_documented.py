"""The table of rights in the user's guide is the one that the platform goes by."""

from __future__ import annotations

from dashboard.models import MemberRole, Right
from dashboard.models.permissions import RIGHTS
from tests.repository.checkout import ROOT

ROLES = [MemberRole.OWNER, MemberRole.MEMBER, MemberRole.RESTRICTED, MemberRole.READ_ONLY]
WORDS = {
    Right.LOOK: "look at everything, read logs",
    Right.DEPLOY: "deploy, update and remove stacks",
    Right.HOSTS: "add, promote, start, recreate and remove hosts",
    Right.SETTINGS: "change name and description, look after catalogs and registries",
    Right.MEMBERS: "invite, change and remove members, hand over",
    Right.DELETE: "delete the environment",
}


def test_the_guide_says_who_may_do_what() -> None:
    text = (ROOT / "docs" / "users.md").read_text()
    section = text.split("## Who may do what\n", 1)[1].split("\n## ", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    assert rows[0] == ["", *(role.label.lower() for role in ROLES)]
    expected = [[WORDS[right], *("yes" if right in RIGHTS[role] else "no" for role in ROLES)] for right in Right]
    assert rows[2:] == expected
