"""One address chooses the database, for Django as for the engine of operations."""

from platform_manager import environ


def test_letters_that_mean_something_in_addresses_are_read_as_they_are() -> None:
    found = environ.postgresql("postgresql://pm%40ops:p%2Fw%20%25@db.example.org:6432/plat%20form")
    assert (found["USER"], found["PASSWORD"], found["NAME"]) == ("pm@ops", "p/w %", "plat form")
    assert (found["HOST"], found["PORT"]) == ("db.example.org", "6432")


def test_wishes_such_as_encryption_are_passed_on() -> None:
    assert environ.postgresql("postgresql://db/pm?sslmode=verify-full")["OPTIONS"] == {"sslmode": "verify-full"}
