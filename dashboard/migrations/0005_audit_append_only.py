"""The database itself refuses to change an entry of the audit log."""

from django.db import migrations

SQLITE = """
CREATE TRIGGER audit_append_only BEFORE UPDATE ON dashboard_auditentry
BEGIN SELECT RAISE(ABORT, 'audit entries are never changed'); END
"""
POSTGRESQL = """
CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'audit entries are never changed'; END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE ON dashboard_auditentry
FOR EACH ROW EXECUTE FUNCTION audit_append_only()
"""
UNDO = {
    "sqlite": "DROP TRIGGER audit_append_only",
    "postgresql": "DROP TRIGGER audit_append_only ON dashboard_auditentry; DROP FUNCTION audit_append_only()",
}


def guard(apps, schema_editor):
    schema_editor.execute({"sqlite": SQLITE, "postgresql": POSTGRESQL}[schema_editor.connection.vendor])


def unguard(apps, schema_editor):
    schema_editor.execute(UNDO[schema_editor.connection.vendor])


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0004_people")]
    operations = [migrations.RunPython(guard, unguard)]
