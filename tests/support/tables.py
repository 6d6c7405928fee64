"""Every row of the databases that a test run uses, as text."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy
from django.conf import settings
from django.db import connection


def database_address() -> str:
    """The tests' own database; the worker's record is in a file, or on the same server, of its own."""
    name = str(connection.settings_dict["NAME"])
    return sqlalchemy.make_url(dbos_address()).set(database=name).render_as_string(hide_password=False)


def dbos_address() -> str:
    return str(settings.PM_DBOS_URL)


def rows(address: str) -> Iterator[str]:
    """The text of every row of every table."""
    engine = sqlalchemy.create_engine(address)
    try:
        with engine.connect() as link:
            inspector = sqlalchemy.inspect(link)
            for schema in inspector.get_schema_names():
                for table in inspector.get_table_names(schema):
                    quoted = f'"{schema}"."{table}"'
                    yield from map(str, link.execute(sqlalchemy.text(f"SELECT * FROM {quoted}")).all())  # noqa: S608
    finally:
        engine.dispose()
