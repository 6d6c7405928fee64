"""The environment templates every platform starts with."""

from typing import Any

from django.db import migrations

TEMPLATES = [
    ("evaluation", "Evaluation", "One manager: for trying things out. The loss of its host ends the swarm.", 1, None),
    ("standard", "Standard", "Three managers: the swarm survives the loss of one of them.", 3, None),
    ("fiware-lab", "FIWARE Lab", "Three managers, and networks that fit the FIWARE Lab's MTU of 1400.", 3, 1400),
]


def make(apps: Any, schema_editor: Any) -> None:
    template = apps.get_model("dashboard", "EnvironmentTemplate")
    for position, (slug, name, description, managers, mtu) in enumerate(TEMPLATES):
        template.objects.get_or_create(
            slug=slug,
            defaults={
                "name": name,
                "description": description,
                "managers": managers,
                "mtu": mtu,
                "position": position,
            },
        )


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0001_initial")]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
