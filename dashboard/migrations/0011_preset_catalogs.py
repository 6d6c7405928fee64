"""The catalogs that every platform has; ``dashboard.catalogs.presets`` keeps them afterwards."""

from uuid import UUID

from django.conf import settings
from django.db import migrations


def make(apps, schema_editor):
    Catalog = apps.get_model("dashboard", "Catalog")
    Catalog.objects.get_or_create(
        pk=UUID("00000000-0000-7000-8000-000000000001"), defaults={"name": "Built in", "kind": "builtin"}
    )
    address = settings.PM_SMARTSDK_RECIPES
    if address != "none":
        Catalog.objects.get_or_create(
            pk=UUID("00000000-0000-7000-8000-000000000002"),
            defaults={
                "name": "SmartSDK recipes",
                "kind": "folder" if address.startswith("/") else "git",
                "address": address,
                "position": 1,
            },
        )


class Migration(migrations.Migration):

    dependencies = [
        ("dashboard", "0010_catalogs"),
    ]

    operations = [
        migrations.RunPython(make, migrations.RunPython.noop),
    ]
