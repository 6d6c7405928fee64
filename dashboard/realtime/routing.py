"""Addresses of the websockets."""

from django.urls import path

from .environments import EnvironmentConsumer, EnvironmentListConsumer
from .logs import LogConsumer
from .operations import OperationConsumer

urlpatterns = [
    path("ws/environments/", EnvironmentListConsumer.as_asgi()),
    path("ws/environments/<uuid:environment_id>/", EnvironmentConsumer.as_asgi()),
    path("ws/environments/<uuid:environment_id>/logs/", LogConsumer.as_asgi()),
    path("ws/operations/<uuid:operation_id>/", OperationConsumer.as_asgi()),
]
