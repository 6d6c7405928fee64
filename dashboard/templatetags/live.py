"""Draws the rows of a live container: ``<tbody id="hosts" data-live>{% live_rows hosts %}</tbody>``."""

from django import template
from django.utils.safestring import SafeString

from dashboard.pages.live import Container

register = template.Library()


@register.simple_tag
def live_rows(container: Container) -> SafeString:
    return container.html()
