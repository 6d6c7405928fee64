"""The Django app of sign-in; allauth finds the provider in ``provider.py`` by it."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "platform_manager.accounts"

    def ready(self) -> None:
        from . import receivers  # noqa: F401 - importing connects them
