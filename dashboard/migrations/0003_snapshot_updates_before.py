"""What each service said of updates before a deployment, instead of a clock to compare with."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0002_templates")]

    operations = [
        migrations.RemoveField(model_name="revision", name="engine_time"),
        migrations.AddField(
            model_name="revision",
            name="updates_before",
            field=models.JSONField(
                blank=True,
                help_text="Of each service of the stack, the update it told of before this deployment.",
                null=True,
            ),
        ),
    ]
