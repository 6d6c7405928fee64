"""Accounts out of the files that clouds hand out: an openrc script, or a clouds.yaml."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import yaml

from platform_manager.errors import UserError

from .account import DEFAULT_DOMAIN, Account

MOST_BYTES = 64 * 1024
FIELD = "file"
_VARIABLES = {
    "auth_url": ("OS_AUTH_URL",),
    "region": ("OS_REGION_NAME",),
    "user": ("OS_USERNAME",),
    "password": ("OS_PASSWORD",),
    "user_domain": ("OS_USER_DOMAIN_NAME", "OS_DOMAIN_NAME"),
    "user_domain_id": ("OS_USER_DOMAIN_ID", "OS_DOMAIN_ID"),
    "project": ("OS_PROJECT_NAME", "OS_TENANT_NAME"),
    "project_id": ("OS_PROJECT_ID", "OS_TENANT_ID"),
    "project_domain": ("OS_PROJECT_DOMAIN_NAME", "OS_DOMAIN_NAME"),
    "project_domain_id": ("OS_PROJECT_DOMAIN_ID", "OS_DOMAIN_ID"),
    "credential_id": ("OS_APPLICATION_CREDENTIAL_ID",),
    "credential_secret": ("OS_APPLICATION_CREDENTIAL_SECRET",),
}
_CLOUD_KEYS = {
    "auth_url": ("auth_url",),
    "user": ("username",),
    "password": ("password",),
    "user_domain": ("user_domain_name", "domain_name"),
    "user_domain_id": ("user_domain_id", "domain_id"),
    "project": ("project_name", "tenant_name"),
    "project_id": ("project_id", "tenant_id"),
    "project_domain": ("project_domain_name", "domain_name"),
    "project_domain_id": ("project_domain_id", "domain_id"),
    "credential_id": ("application_credential_id",),
    "credential_secret": ("application_credential_secret",),
}


def read_file(content: str) -> dict[str, Account]:
    """The accounts of an openrc script or a clouds.yaml, by name (an openrc's is its project). UserError.

    What a file leaves out, such as the password for which an openrc asks at the terminal, is empty.
    """
    if len(content.encode()) > MOST_BYTES:
        raise UserError("The file is over 64 KiB: it is neither an openrc nor a clouds.yaml.", FIELD)
    if any(line.lstrip().removeprefix("export ").lstrip().startswith("OS_") for line in content.splitlines()):
        account = read_openrc(content)
        return {account.project or account.user or "cloud": account}
    return read_clouds(content)


def read_openrc(content: str) -> Account:
    """The account of an ``openrc`` shell script; it is read, never run."""
    found: dict[str, str] = {}
    for line in content.splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and name.strip().startswith("OS_"):
            found[name.strip()] = _unquoted(value)
    account = _account(found, _VARIABLES)
    if not account.auth_url:
        raise UserError("The openrc has no OS_AUTH_URL.", FIELD)
    return account


def _unquoted(value: str) -> str:
    """The value as a shell would give it; what the shell would have to compute, such as a prompted answer, is empty."""
    computed = not value.strip().startswith("'") and ("$" in value or "`" in value)
    try:
        words = shlex.split(value, comments=True)
    except ValueError:
        words = [value.strip()]
    return "" if computed or not words else words[0]


def read_clouds(content: str) -> dict[str, Account]:
    """The accounts of a ``clouds.yaml``, one for each cloud and region."""
    try:
        document = yaml.safe_load(content)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise UserError(f"The file is neither an openrc nor YAML: something is wrong{where}.", FIELD) from None
    clouds = document.get("clouds") if isinstance(document, Mapping) else None
    if not isinstance(clouds, Mapping) or not clouds:
        raise UserError("The file is neither an openrc (OS_AUTH_URL=…) nor a clouds.yaml (clouds: …).", FIELD)
    found: dict[str, Account] = {}
    for name, cloud in clouds.items():
        if isinstance(cloud, Mapping) and isinstance(cloud.get("auth"), Mapping):
            found |= _of_cloud(str(name), cloud)
    if not found:
        raise UserError("No cloud of the clouds.yaml has a section auth.", FIELD)
    return found


def _of_cloud(name: str, cloud: Mapping[str, Any]) -> dict[str, Account]:
    account = _account({key: str(value) for key, value in cloud["auth"].items() if value is not None}, _CLOUD_KEYS)
    listed = cloud.get("regions")
    several = [_region(region) for region in listed] if isinstance(listed, list) else []
    regions = several or [str(cloud.get("region_name") or "")]
    return {f"{name} ({region})" if len(regions) > 1 else name: replace(account, region=region) for region in regions}


def _region(listed: object) -> str:
    return str(listed.get("name", "")) if isinstance(listed, Mapping) else str(listed or "")


def _account(found: Mapping[str, str], names: Mapping[str, tuple[str, ...]]) -> Account:
    """What the first of the names of each field says."""
    values = {field: next((found[name] for name in known if found.get(name)), "") for field, known in names.items()}
    for domain in ("user_domain", "project_domain"):
        values[domain] = values[domain] or DEFAULT_DOMAIN
    return Account(**values)
