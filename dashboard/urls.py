"""Addresses of the dashboard; each is named like its view."""

from django.urls import include, path
from django.views.generic import RedirectView

from dashboard.views import (
    environments,
    hosts,
    join,
    logs,
    networks,
    operations,
    overview,
    profile,
    services,
    settings,
    stacks,
)

one_environment = [
    path("", overview.environment, name="environment"),
    path("hosts/", hosts.hosts, name="hosts"),
    path("hosts/add/", hosts.hosts_add, name="hosts_add"),
    path("hosts/plan/", hosts.hosts_plan, name="hosts_plan"),
    path("hosts/<uuid:host_id>/", hosts.host, name="host"),
    path("hosts/<uuid:host_id>/remove/", hosts.host_remove, name="host_remove"),
    path("hosts/<uuid:host_id>/promote/", hosts.host_promote, name="host_promote"),
    path("stacks/", stacks.stacks, name="stacks"),
    path("stacks/deploy/", stacks.stack_deploy, name="stack_deploy"),
    path("stacks/deploy/preview/", stacks.stack_preview, name="stack_preview"),
    path("stacks/<str:name>/", stacks.stack, name="stack"),
    path("stacks/<str:name>/update/", stacks.stack_update, name="stack_update"),
    path("stacks/<str:name>/remove/", stacks.stack_remove, name="stack_remove"),
    path("services/", services.services, name="services"),
    path("services/<str:service_id>/", services.service, name="service"),
    path("tasks/<str:task_id>/", services.task, name="task"),
    path("networks/", networks.networks, name="networks"),
    path("logs/", logs.logs, name="logs"),
    path("operations/", operations.operations, name="operations"),
    path("operations/<uuid:operation_id>/", operations.operation, name="operation"),
    path("operations/<uuid:operation_id>/cancel/", operations.operation_cancel, name="operation_cancel"),
    path("operations/<uuid:operation_id>/retry/", operations.operation_retry, name="operation_retry"),
    path("settings/", settings.environment_settings, name="environment_settings"),
    path("delete/", settings.environment_delete, name="environment_delete"),
]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="environments"), name="root"),
    path("environments/", environments.environments, name="environments"),
    path("environments/new/", environments.environment_new, name="environment_new"),
    path("environments/<uuid:pk>/", include(one_environment)),
    path("profile/", profile.profile, name="profile"),
    path("join/<str:token>", join.join, name="join"),
    path("healthz", join.healthz, name="healthz"),
]
