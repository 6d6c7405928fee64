"""Every address of the platform with its answer for everybody who may come: one row each.

An answer is the status of the response; ``SIGN_IN`` is a redirect to the sign-in page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from django.urls import URLResolver, get_resolver

SIGN_IN = "sign in"
PEOPLE = ("visitor", "outsider", "read-only", "restricted", "member", "owner", "operator")
Answer = int | str
Answers = dict[str, Answer]


@dataclass(frozen=True)
class Row:
    """``where`` is the name of an address, or its route where it has none; ``args`` name things of the world."""

    where: str
    answers: Answers
    args: tuple[str, ...] = ()
    method: str = "get"
    query: str = ""
    data: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __str__(self) -> str:
        return f"{self.method}-{self.where}"


def answers(*each: Answer) -> Answers:
    """In the order of ``PEOPLE``."""
    return dict(zip(PEOPLE, each, strict=True))


def everybody(answer: Answer) -> Answers:
    return answers(*[answer] * 7)


def signed_in(answer: Answer) -> Answers:
    return answers(SIGN_IN, *[answer] * 6)


def visitors(answer: Answer, others: Answer = 302) -> Answers:
    """For who is not signed in; others are led on."""
    return answers(answer, *[others] * 6)


def looking(answer: Answer) -> Answers:
    """All inside may."""
    return answers(SIGN_IN, 404, *[answer] * 5)


def deploying(answer: Answer) -> Answers:
    return answers(SIGN_IN, 404, 403, *[answer] * 4)


def hosting(answer: Answer) -> Answers:
    """Hosts, catalogs and settings."""
    return answers(SIGN_IN, 404, 403, 403, *[answer] * 3)


def owning(answer: Answer) -> Answers:
    """Members and deletion."""
    return answers(SIGN_IN, 404, 403, 403, 403, answer, answer)


def owners_only(answer: Answer) -> Answers:
    """For things of one person, who owns the environment."""
    return answers(SIGN_IN, 404, 404, 404, 404, answer, 404)


OF_ENVIRONMENT = [
    Row("environment", looking(200)),
    Row("hosts", looking(200)),
    Row("hosts_add", hosting(200)),
    Row("hosts_add", hosting(422), method="post"),
    Row("hosts_plan", hosting(200)),
    Row("hosts_options", hosting(200)),
    Row("host", looking(200), ("host",)),
    Row("host_remove", hosting(200), ("host",)),
    Row("host_remove", hosting(302), ("host",), "post"),
    Row("host_recreate", hosting(200), ("host",)),
    # The host works: there is nothing to recreate or to start.
    Row("host_recreate", hosting(422), ("host",), "post"),
    Row("host_start", hosting(302), ("host",), "post"),
    Row("host_promote", hosting(302), ("host",), "post"),
    Row("catalog", looking(200)),
    Row("catalog_recipe", looking(200), ("recipe",)),
    Row("catalog_logo", looking(200), ("recipe",)),
    Row("catalogs", looking(200)),
    Row("catalog_new", hosting(200)),
    Row("catalog_new", hosting(422), method="post"),
    Row("catalog_edit", hosting(200), ("catalog",)),
    Row("catalog_edit", hosting(422), ("catalog",), "post"),
    Row("catalog_refresh", hosting(302), ("catalog",), "post"),
    Row("catalog_remove", hosting(200), ("catalog",)),
    Row("catalog_remove", hosting(302), ("catalog",), "post"),
    Row("stacks", looking(200)),
    Row("stack_deploy", deploying(200)),
    Row("stack_deploy", deploying(422), method="post"),
    Row("stack_preview", deploying(200), method="post"),
    Row("stack_plan", deploying(200), method="post"),
    Row("stack", looking(200), ("stack",)),
    Row("stack_update", deploying(200), ("stack",)),
    Row("stack_update", deploying(422), ("stack",), "post"),
    Row("stack_revision", looking(200), ("stack", "1")),
    Row("stack_compare", looking(200), ("stack",)),
    Row("stack_roll_back", deploying(200), ("stack", "1")),
    # It is the newest: there is nothing to go back to.
    Row("stack_roll_back", deploying(422), ("stack", "1"), "post"),
    Row("stack_export", deploying(200), ("stack", "1")),
    Row("stack_redeploy", deploying(200), ("stack",)),
    Row("stack_redeploy", deploying(302), ("stack",), "post"),
    Row("stack_adopt", deploying(200), ("elsewhere",)),
    # No manager answers.
    Row("stack_adopt", deploying(422), ("elsewhere",), "post"),
    Row("stack_release", deploying(200), ("stack",)),
    Row("stack_release", deploying(302), ("stack",), "post"),
    Row("stack_remove", deploying(200), ("stack",)),
    Row("stack_remove", deploying(302), ("stack",), "post"),
    Row("services", looking(200)),
    Row("service", looking(200), ("service",)),
    Row("task", looking(200), ("task",)),
    Row("networks", looking(200)),
    Row("shared_remove", deploying(200), ("secret", "key")),
    # No manager answers.
    Row("shared_remove", deploying(409), ("secret", "key"), "post"),
    Row("shared_remove", deploying(404), ("volume", "data")),
    Row("ports", looking(200)),
    Row("ports_open", hosting(200)),
    Row("ports_open", hosting(422), method="post"),
    Row("port_close", hosting(200), ("opening",)),
    Row("port_close", hosting(302), ("opening",), "post"),
    Row("logs", looking(200), query="?stack=shop"),
    Row("operations", looking(200)),
    Row("activity", looking(200)),
    # The operation removes a stack: who may deploy may repeat it.
    Row("operation", looking(200), ("operation",)),
    Row("operation_cancel", deploying(302), ("operation",), "post"),
    # Only a deployment has a plan to show.
    Row("operation_retry", deploying(302), ("operation",)),
    Row("operation_retry", deploying(302), ("operation",), "post"),
    Row("operation_cancel", hosting(302), ("host_operation",), "post"),
    Row("operation_retry", hosting(302), ("host_operation",), "post"),
    Row("members", looking(200)),
    Row("members_invite", owning(200)),
    Row("members_invite", owning(422), method="post"),
    Row("members_group", owning(200)),
    Row("members_group", owning(422), method="post"),
    Row("member_role", owning(200), ("user",)),
    Row("member_role", owning(302), ("user",), "post", data={"role": "owner"}),
    Row("member_remove", owning(302), ("user",), "post"),
    Row("group_role", owning(200), ("group",)),
    Row("group_role", owning(302), ("group",), "post", data={"role": "member"}),
    Row("group_remove", owning(302), ("group",), "post"),
    Row("invitation", owning(200), ("invitation",)),
    Row("invitation_again", owning(200), ("invitation",), "post"),
    Row("invitation_withdraw", owning(302), ("invitation",), "post"),
    Row("environment_leave", looking(200)),
    # The owner is the last one, the operator no member.
    Row("environment_leave", answers(SIGN_IN, 404, 302, 302, 302, 422, 422), method="post"),
    Row("environment_transfer", owning(200)),
    Row("environment_transfer", owning(422), method="post"),
    Row("environment_settings", looking(200)),
    Row("environment_settings", hosting(422), method="post"),
    Row("registries", looking(200)),
    Row("registry_add", hosting(200)),
    Row("registry_add", hosting(422), method="post"),
    Row("registry", hosting(200), ("registry",)),
    Row("registry", hosting(422), ("registry",), "post"),
    # Nothing answers there, which a message says.
    Row("registry_check", hosting(302), ("registry",), "post"),
    Row("registry_remove", hosting(302), ("registry",), "post"),
    Row("environment_delete", owning(200)),
    Row("environment_delete", owning(422), method="post"),
]
# Also after it was deleted.
LASTING = {"operation"}

OTHERS = [
    Row("root", everybody(302)),
    Row("environments", signed_in(200)),
    # "All" is for operators; others are shown their own.
    Row("environments", signed_in(200), query="?show=all"),
    Row("environment_new", signed_in(200)),
    Row("environment_new", signed_in(422), method="post"),
    Row("invitation_link", signed_in(200), ("token",)),
    Row("invitation_link", signed_in(302), ("token",), "post", data={"answer": "accept"}),
    # It is somebody else's.
    Row("invitation_answer", signed_in(404), ("invitation",), "post", data={"answer": "accept"}),
    Row("cloud_accounts", signed_in(200)),
    Row("cloud_account_new", signed_in(200)),
    Row("cloud_account_new", signed_in(422), method="post"),
    # The owner's alone, whatever others are elsewhere.
    Row("cloud_account", owners_only(200), ("account",)),
    Row("cloud_account", owners_only(422), ("account",), "post"),
    Row("cloud_account_check", owners_only(302), ("account",), "post"),
    Row("cloud_account_share", owners_only(302), ("account",), "post"),
    Row("cloud_account_delete", owners_only(302), ("account",), "post"),
    # Nothing answers where the account leads: its lists are a sentence.
    Row("cloud_cleanup", owners_only(200), ("account",)),
    Row("cloud_cleanup", owners_only(422), ("account",), "post"),
    Row("cloud_cleanup_things", owners_only(200), ("account",)),
    Row("cloud_cleanup_progress", owners_only(200), ("account",)),
    Row("cloud_leftovers_remove", owners_only(302), ("account",), "post"),
    Row("profile", signed_in(200)),
    # Hosts come with a token of their own.
    Row("join", everybody(405), ("nothing",)),
    Row("join", everybody(400), ("nothing",), "post"),
    Row("healthz", everybody(200)),
    # Signing in needs one too.
    Row("token", everybody(200)),
]

ACCOUNTS = [
    Row("account_login", visitors(200)),
    Row("account_logout", signed_in(200)),
    Row("account_logout", everybody(SIGN_IN), method="post"),
    Row("account_inactive", everybody(200)),
    Row("account_signup", visitors(200)),
    Row("account_reauthenticate", signed_in(200)),
    Row("account_email", signed_in(200)),
    Row("account_email_verification_sent", everybody(200)),
    Row("account_change_password", signed_in(200)),
    Row("account_set_password", signed_in(302)),
    Row("account_reset_password", everybody(200)),
    Row("account_confirm_login_code", visitors(SIGN_IN)),
    Row("account_confirm_email", everybody(200), ("nothing",)),
    Row("account_reset_password_done", everybody(200)),
    Row("account_reset_password_from_key", everybody(200), ("nothing", "nothing")),
    Row("account_reset_password_from_key_done", everybody(200)),
    Row("mfa_index", signed_in(200)),
    Row("mfa_authenticate", visitors(SIGN_IN)),
    Row("mfa_reauthenticate", signed_in(302)),
    Row("mfa_activate_totp", signed_in(302)),
    Row("mfa_deactivate_totp", signed_in(404)),
    Row("mfa_view_recovery_codes", signed_in(404)),
    Row("mfa_generate_recovery_codes", signed_in(302)),
    Row("mfa_download_recovery_codes", signed_in(404)),
    Row("mfa_list_webauthn", signed_in(200)),
    Row("mfa_add_webauthn", signed_in(302)),
    Row("mfa_reauthenticate_webauthn", signed_in(302)),
    Row("mfa_remove_webauthn", signed_in(302), ("0",)),
    Row("mfa_edit_webauthn", signed_in(302), ("0",)),
    Row("mfa_login_webauthn", visitors(SIGN_IN)),
    Row("socialaccount_login_cancelled", everybody(200)),
    Row("socialaccount_login_error", everybody(401)),
    Row("socialaccount_signup", everybody(SIGN_IN)),
    Row("socialaccount_connections", signed_in(200)),
    # Allauth leads old addresses on.
    Row("/accounts/social/login/cancelled/", everybody(301)),
    Row("/accounts/social/login/error/", everybody(301)),
    Row("/accounts/social/signup/", everybody(301)),
    Row("/accounts/social/connections/", everybody(301)),
    Row("github_login", everybody(404)),
    Row("github_callback", everybody(404)),
    Row("gitlab_login", everybody(404)),
    Row("gitlab_callback", everybody(404)),
    Row("fiware_login", everybody(404)),
    Row("fiware_callback", everybody(404)),
    Row("openid_connect_login", everybody(404), ("nothing",)),
    Row("openid_connect_callback", everybody(404), ("nothing",)),
    Row("usersessions_list", signed_in(200)),
]
TABLE = [*OF_ENVIRONMENT, *OTHERS, *ACCOUNTS]


def addresses(
    resolver: URLResolver | None = None, route: str = "/", spaces: tuple[str, ...] = ()
) -> Iterator[tuple[str, str]]:
    """Route and name of every address of the project."""
    for pattern in (resolver or get_resolver()).url_patterns:
        whole = route + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = (*spaces, pattern.namespace) if pattern.namespace else spaces
            yield from addresses(pattern, whole, inner)
        else:
            yield whole, ":".join([*spaces, pattern.name]) if pattern.name else ""


ADMIN = "/admin/"
ADMIN_ROUTES = sorted({route for route, _ in addresses() if route.startswith(ADMIN)})
