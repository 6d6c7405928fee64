"""Whose the things of a cloud project are, as the platform's rows say at this moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from dashboard.models import Environment, Host
from platform_manager.clouds.openstack.things import Kind, Thing

from .drivers import OPENSTACK


class Whose(StrEnum):
    HOST = "host"
    ENVIRONMENT = "environment"
    LEFT_OVER = "left over"
    ANOTHER = "another installation"
    NOBODY = "nobody"


@dataclass(frozen=True)
class Claim:
    """``host`` or ``environment`` is the one that the thing belongs to, which the platform knows."""

    whose: Whose
    host: Host | None = None
    environment: Environment | None = None

    @property
    def refusal(self) -> str:
        """Why the thing is not deleted alone, as a sentence; "" where it may be."""
        if self.whose is Whose.HOST:
            return "It belongs to a host of the platform: remove the host instead."
        if self.whose is Whose.ENVIRONMENT:
            return "It belongs to an environment of the platform, and goes with it."
        return ""


class Known:
    """The hosts and environments that things say they belong to, as far as there are such; read once for all."""

    def __init__(self, things: Iterable[Thing]) -> None:
        things = list(things)
        marks = [thing.mark for thing in things if thing.mark and thing.made_by(settings.PM_INSTALLATION)]
        servers = {server for thing in things for server in _servers_of(thing)}
        by_id = Q(pk__in=_ids(mark.host for mark in marks))
        by_server = Q(driver=OPENSTACK, provider_id__in=servers)
        hosts = Host.objects.select_related("environment").filter(by_id | by_server)
        self._hosts = {str(host.pk): host for host in hosts}
        self._of_server = {host.provider_id: host for host in self._hosts.values() if host.driver == OPENSTACK}
        found = Environment.objects.alive().filter(pk__in=_ids(mark.environment for mark in marks))
        self._environments = {str(environment.pk): environment for environment in found}

    def claim(self, thing: Thing) -> Claim:
        mark = thing.mark
        # Somebody may have taken the marks off a server that is a host's, or given the host something by hand.
        for server in _servers_of(thing):
            if server in self._of_server:
                return Claim(Whose.HOST, self._of_server[server])
        if mark is None:
            return Claim(Whose.NOBODY)
        if not thing.made_by(settings.PM_INSTALLATION):
            return Claim(Whose.ANOTHER)
        if thing.left_over(settings.PM_INSTALLATION, self._hosts, self._environments):
            return Claim(Whose.LEFT_OVER)
        if mark.host:
            return Claim(Whose.HOST, self._hosts[mark.host])
        return Claim(Whose.ENVIRONMENT, environment=self._environments[mark.environment])


def claim_of(thing: Thing) -> Claim:
    """Whose one thing is."""
    return Known([thing]).claim(thing)


def _servers_of(thing: Thing) -> tuple[str, ...]:
    """The ids of the servers that it is, leads to or is attached to."""
    return (thing.id,) if thing.kind is Kind.SERVER else thing.servers


def _ids(words: Iterable[str]) -> set[UUID]:
    """Those that are ids at all: anybody in the project may write marks."""
    found = set()
    for word in words:
        try:
            found.add(UUID(word))
        except ValueError:
            continue
    return found
