"""What an address of a catalog may not show moves to its credentials, which are encrypted."""

from django.db import migrations

from platform_manager.catalogs import hidden


def move(apps, schema_editor):
    Catalog = apps.get_model("dashboard", "Catalog")
    for row in Catalog.objects.filter(kind__in=("git", "list")).defer("upload", "report"):
        found = hidden.apart(row.address)
        if found.shown == row.address:
            continue
        secret = dict(row.secret or {})
        if found.password and not secret:
            secret = {"user": found.user, "password": found.password}
        # Masks are longer than many a value.
        fits = len(found.shown) <= 500
        row.address = found.shown if fits else found.shown.partition("?")[0]
        if found.query and fits:
            secret["query"] = found.query
        row.secret = secret or None
        row.save(update_fields=["address", "secret"])


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0013_operations_watching")]
    operations = [migrations.RunPython(move, migrations.RunPython.noop)]
