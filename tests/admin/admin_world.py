"""A platform with one or a few of everything that the admin site shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group, User
from django.utils import timezone

from dashboard.models import (
    Announcement,
    AuditEntry,
    Catalog,
    CatalogRecipe,
    CloudAccount,
    CloudCleanup,
    CloudPreset,
    EnrolmentToken,
    Environment,
    EnvironmentKey,
    GroupAccess,
    HostRole,
    HostState,
    Invitation,
    MemberRole,
    OpenPort,
    Operation,
    OperationState,
    RecipeVersion,
    RegistryCredential,
    Revision,
    StackState,
    StepState,
    UserLimits,
    Worker,
)
from dashboard.models.auditing import record
from tests import factories

SECRET = "s3cret-answer"


@dataclass
class World:
    operator: User
    user: User
    environment: Environment
    operation: Operation

    def rows(self) -> list[Any]:
        """One of each model with a page of its own."""
        environment = self.environment
        host = environment.hosts.first()
        return [
            self.user,
            Group.objects.get(),
            environment,
            environment.template,
            environment.memberships.first(),
            environment.group_accesses.get(),
            environment.invitations.get(),
            host,
            EnrolmentToken.objects.get(),
            OpenPort.objects.get(),
            EnvironmentKey.objects.get(),
            environment.snapshot,
            environment.stacks.first(),
            Revision.objects.first(),
            self.operation,
            self.operation.steps.first(),
            self.operation.logs.first(),
            Worker.objects.get(),
            UserLimits.objects.get(),
            Announcement.objects.get(),
            CloudPreset.objects.get(),
            CloudAccount.objects.get(),
            CloudCleanup.objects.get(),
            Catalog.objects.get(name="Shop's own"),
            CatalogRecipe.objects.get(),
            RecipeVersion.objects.get(),
            RegistryCredential.objects.get(),
            AuditEntry.objects.first(),
        ]


def world(name: str = "olga") -> World:
    operator = User.objects.create_user(name, f"{name}@example.org", factories.PASSWORD, is_staff=True)
    user = factories.user("ann", first_name="Ann", last_name="Ardent")
    factories.user("bob", is_active=False)
    environment = factories.environment(
        user, "Shop", template=factories.template(name="Small"), description="Sells things"
    )
    factories.filled(environment, hosts=3, stacks=2, services=2, tasks=4)
    lost = factories.host(environment, "fw-04", state=HostState.DISCONNECTED, link_up=False, engine_up=False)
    factories.host(environment, "fw-05", state=HostState.BOOTING, role=HostRole.MANAGER, node_id="", link_up=False)
    factories.stack(
        environment, "broken", state=StackState.DEGRADED, sentence="1 of 3 tasks runs.", answers={"P": SECRET}
    )
    EnrolmentToken.issue(lost)
    OpenPort.objects.create(environment=environment, port=8080, opened_by=user)
    EnvironmentKey.objects.create(environment=environment, public_key="ssh-ed25519 AAAA", private_key=SECRET)
    factories.member(environment, factories.user("carl"), MemberRole.READ_ONLY)
    group = Group.objects.create(name="fiware:org:Smart City")
    group.user_set.add(user)
    GroupAccess.objects.create(environment=environment, group=group)
    Invitation.objects.create(
        environment=environment,
        email="dora@example.org",
        invited_by=user,
        digest=Invitation.digest_of(SECRET),
        expires_at=timezone.now() + timedelta(days=3),
    )
    UserLimits.objects.create(user=user, environments=3, hosts=20)
    CloudPreset.objects.get_or_create(slug="fiware-lab", defaults={"name": "FIWARE Lab"})
    secret = {"auth_url": "https://cloud.example.org/v3", "password": SECRET}
    factories.cleanup(factories.cloud_account(user, "Lab", secret=secret), ("server", "old-01"))
    own = factories.catalog(environment, "Shop's own", secret={"user": "ann", "password": SECRET})
    factories.recipe(own, "Shop recipe")
    signed_in = {"user": "ann", "password": SECRET}
    RegistryCredential.objects.create(
        environment=environment, server="registry.example.org", username="ann", secret=signed_in
    )
    Announcement.objects.create(text="The cloud is maintained on Sunday from 8 to 10.", level="warning")
    Worker.objects.create(id="worker-1", machine="pm-1", pid=4711, last_seen=timezone.now())
    failed = factories.operation(
        environment,
        "Add 3 hosts: fw-06 to fw-08",
        OperationState.FAILED,
        steps=[("Make the machines", StepState.DONE), ("Wait for their links", StepState.FAILED)],
        logs=[(1, "fw-06 was made"), (2, "waiting for fw-06 to call in"), (2, "fw-06 did not call in within 300 s")],
        error="fw-06 did not call in within 300 s.",
        args={"hosts": [], "password": SECRET},
    )
    factories.operation(environment, "Deploy shop", OperationState.SUCCEEDED, kind="deploy_stack")
    record("user.suspend", user, by=operator, sessions=2)
    record("stack.deploy", environment.stacks.first(), by=user, outcome=AuditEntry.Outcome.REQUESTED)
    record("host.remove", lost, by=user, outcome=AuditEntry.Outcome.REFUSED, why="It is the last manager.")
    return World(operator, user, environment, failed)
