"""What the engines last said of an environment, as one row the pages read."""

from __future__ import annotations

from django.db import models

from .environments import Environment


class Snapshot(models.Model):
    """Nodes, services, tasks, networks and volumes of one swarm; each column holds a JSON list of flat objects.

    Of secrets and configs there are only names, each with its stack.

    ``version`` grows by one with every change, so that a reader knows whether its copy is the newest.
    """

    environment = models.OneToOneField(Environment, primary_key=True, on_delete=models.CASCADE, related_name="snapshot")
    version = models.PositiveBigIntegerField(default=0)
    nodes = models.TextField(default="[]")
    services = models.TextField(default="[]")
    tasks = models.TextField(default="[]")
    networks = models.TextField(default="[]")
    volumes = models.TextField(default="[]")
    secrets = models.TextField(default="[]")
    configs = models.TextField(default="[]")
    problem = models.TextField(blank=True)
    read_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.environment} at version {self.version}"
