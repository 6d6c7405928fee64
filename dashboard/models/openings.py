"""What clouds let in to the hosts of an environment, and the key with which the platform signs in to them."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from .environments import Environment
from .fields import EncryptedJSONField

EVERYBODY = "0.0.0.0/0"


class OpenPort(models.Model):
    """A published port that the environment's security groups let in, or shall; ``source`` in CIDR form."""

    class Protocol(models.TextChoices):
        TCP = "tcp", "TCP"
        UDP = "udp", "UDP"

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="open_ports")
    protocol = models.CharField(max_length=3, choices=Protocol.choices, default=Protocol.TCP)
    port = models.PositiveIntegerField(validators=[MinValueValidator(1), MaxValueValidator(65535)])
    source = models.CharField(max_length=43, default=EVERYBODY)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    opened_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["port", "protocol", "source"]
        constraints = [
            models.UniqueConstraint(fields=["environment", "protocol", "port", "source"], name="one_row_per_open_port")
        ]

    def __str__(self) -> str:
        return f"{self.port}/{self.protocol} from {self.source}"


class EnvironmentKey(models.Model):
    """The SSH key with which the platform signs in to hosts that it dials; one an environment, made once."""

    environment = models.OneToOneField(Environment, on_delete=models.CASCADE, related_name="key")
    public_key = models.TextField(help_text="One line in the form of OpenSSH.")
    private_key: EncryptedJSONField = EncryptedJSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"key of {self.environment}"
