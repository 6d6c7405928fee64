"""The web process alone: ``python -m tests.support.web``."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "platform_manager.settings")

import django
import uvicorn

django.setup()

from django.conf import settings  # noqa: E402

from dashboard.processes import listening_sockets  # noqa: E402

if __name__ == "__main__":
    config = uvicorn.Config("platform_manager.asgi:application", log_level="warning", lifespan="off")
    uvicorn.Server(config).run(sockets=listening_sockets(settings.PM_LISTEN))
