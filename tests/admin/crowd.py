"""A platform of any size for the admin site, and the addresses of its pages."""

from __future__ import annotations

from datetime import timedelta
from itertools import cycle, islice
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.urls import reverse
from django.utils import timezone

from dashboard.models import (
    Announcement,
    AuditEntry,
    EnrolmentToken,
    Environment,
    GroupAccess,
    Host,
    HostState,
    Invitation,
    MemberRole,
    Membership,
    Operation,
    OperationLog,
    OperationState,
    OperationStep,
    Revision,
    Snapshot,
    Stack,
    StackState,
    StepState,
    UserLimits,
    Worker,
)
from tests import factories

AT_ONCE = 2_000
ACTIONS = ("environment.create", "hosts.add", "stack.deploy", "stack.remove", "user.sign_in", "member.role")
WORDS = ("shop", "garden", "sensors", "parking", "weather", "traffic")


def crowd(*, users: int, environments: int, entries: int) -> User:
    """Fills an empty database; each environment has 2 hosts, a stack and 3 operations. The operator."""
    operator = User.objects.create(username="operator", email="operator@example.org", is_staff=True)
    people = User.objects.bulk_create(
        [
            User(username=f"user{n:05d}", email=f"user{n:05d}@example.org", first_name="Ann", is_active=n % 50 != 0)
            for n in range(users)
        ],
        AT_ONCE,
    )
    groups = Group.objects.bulk_create([Group(name=f"fiware:org:City {n}") for n in range(max(users // 20, 1))])
    _link(
        User.groups.through,
        [{"user": user, "group": group} for user, group in zip(people, cycle(groups), strict=False)],
    )
    template = factories.template()
    places = Environment.objects.bulk_create(
        [
            Environment(name=f"{WORDS[n % 6]} {n}", owner=owner, template=template)
            for n, owner in enumerate(islice(cycle(people), environments))
        ],
        AT_ONCE,
    )
    _people_of(places, people, groups)
    _work_in(places)
    _audit(entries, people, places)
    Worker.objects.create(id="worker-1", machine="pm-1", pid=1, last_seen=timezone.now())
    Announcement.objects.create(text="The cloud is maintained on Sunday.")
    return operator


def _link(model: Any, rows: list[dict[str, Any]]) -> list[Any]:
    return list(model.objects.bulk_create([model(**row) for row in rows], AT_ONCE))


def _people_of(places: list[Environment], people: list[User], groups: list[Group]) -> None:
    others = cycle([*people[1:], people[0]])
    soon = timezone.now() + timedelta(days=3)
    _link(Membership, [{"environment": one, "user": one.owner, "role": MemberRole.OWNER} for one in places])
    _link(Membership, [{"environment": one, "user": user} for one, user in zip(places, others, strict=False)])
    _link(
        GroupAccess, [{"environment": one, "group": group} for one, group in zip(places, cycle(groups), strict=False)]
    )
    _link(UserLimits, [{"user": user, "environments": 3} for user in people[::10]])
    _link(
        Invitation,
        [
            {"environment": one, "email": f"{n}@example.org", "digest": f"{n:064d}", "expires_at": soon}
            for n, one in enumerate(places)
        ],
    )


def _work_in(places: list[Environment]) -> None:
    state = {HostState.ACTIVE: True, HostState.DISCONNECTED: False}
    hosts = _link(
        Host,
        [
            {"environment": one, "name": f"fw-{n:02d}", "state": word, "link_up": up, "facts": factories.FACTS}
            for one in places
            for n, (word, up) in enumerate(state.items())
        ],
    )
    soon = timezone.now() + timedelta(minutes=30)
    tokens = [{"host": host, "digest": f"{n:064d}", "expires_at": soon} for n, host in enumerate(hosts[::2])]
    _link(EnrolmentToken, tokens)
    _link(Snapshot, [{"environment": one} for one in places])
    fields: dict[str, Any] = {"state": StackState.RUNNING, "sentence": "All 3 tasks run."}
    stacks = _link(Stack, [{"environment": one, "name": f"app{n}", **fields} for n, one in enumerate(places)])
    _link(
        Revision,
        [{"stack": one, "n": 1, "compose": factories.COMPOSE, "author": one.environment.owner} for one in stacks],
    )
    ended = (OperationState.SUCCEEDED, OperationState.FAILED, OperationState.CANCELLED)
    operations = _link(
        Operation,
        [
            {
                "environment": one,
                "kind": "deploy_stack",
                "title": f"Deploy {word}",
                "state": word,
                "requested_by": one.owner,
                "finished_at": timezone.now(),
            }
            for one in places
            for word in ended
        ],
    )
    steps = [
        {"operation": one, "n": 1, "name": "deploy", "title": "Deploy", "state": StepState.DONE} for one in operations
    ]
    _link(OperationStep, steps)
    _link(OperationLog, [{"operation": one, "step": 1, "text": "services are created"} for one in operations])
    _link(OperationLog, [{"operation": operations[-1], "text": f"line {n} of a long log"} for n in range(600)])


def _audit(entries: int, people: list[User], places: list[Environment]) -> None:
    now = timezone.now()
    for start in range(0, entries, AT_ONCE):
        rows = []
        for n in range(start, min(start + AT_ONCE, entries)):
            user, place = people[n % len(people)], places[n % len(places)]
            rows.append(
                AuditEntry(
                    at=now - timedelta(seconds=entries - n),
                    actor_id=user.pk,
                    actor=user.username,
                    via=AuditEntry.Via.UI,
                    address="192.0.2.7",
                    action=ACTIONS[n % len(ACTIONS)],
                    object_kind="stack",
                    object_name=f"app{n}",
                    environment_id=place.pk,
                    environment=place.name,
                    detail={"revision": n},
                )
            )
        AuditEntry.objects.bulk_create(rows)


def pages() -> dict[str, str]:
    """Each list, a search in it, and the page of one of its rows; by name."""
    found = {"home": reverse("admin:index"), "sign-in methods": reverse("admin:sign_in_methods")}
    for model, page in admin.site._registry.items():
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        address = reverse(f"admin:{name}_changelist")
        # The largest operation has the longest log; of the others any row does.
        row = model._default_manager.order_by("-pk").first()
        if row is not None:
            found[f"{name}: one"] = reverse(f"admin:{name}_change", args=[row.pk])
        if name == "dashboard_platformsettings":
            found[f"{name}: one"] = reverse(f"admin:{name}_change", args=[1])
            continue
        found[f"{name}: list"] = address
        found[f"{name}: last page"] = f"{address}?p=2"
        if page.search_fields:
            found[f"{name}: search"] = f"{address}?q=a"
    audit = reverse("admin:dashboard_auditentry_changelist")
    found["audit: filters"] = f"{audit}?actor__icontains=user0&outcome__exact=done&action=stack.deploy"
    found["audit: search of nothing"] = f"{audit}?q=nobody-of-this-name"
    found["users: of a group"] = f"{reverse('admin:auth_user_changelist')}?groups__id__exact={Group.objects.first().pk}"
    found["users: autocomplete"] = (
        f"{reverse('admin:autocomplete')}?app_label=dashboard&model_name=userlimits&field_name=user&term=user"
    )
    return found
