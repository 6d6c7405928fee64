"""The ASGI application: pages over HTTP, live updates over websockets from our own pages only."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "platform_manager.settings")

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application

pages = get_asgi_application()

from dashboard.realtime import routing  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": pages,
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(routing.urlpatterns))),
    }
)
