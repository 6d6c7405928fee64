"""Catalogs: add, change, refresh and remove them, and upload what one holds anew.

Without an environment a catalog is everybody's; only the admin site makes such ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from dashboard.catalogs.limits import MOST_UPLOAD_BYTES, text_of
from dashboard.catalogs.presets import PRESETS
from dashboard.catalogs.reading import allowed_folder, look_at, may_be_private
from dashboard.models import Catalog, CatalogKind, Environment
from dashboard.models.auditing import record
from platform_manager import reachable
from platform_manager.catalogs import hidden
from platform_manager.errors import PlatformError, UserError

MOST_CATALOGS = 30
MOST_ADDRESS = 500
# Names of people are shorter.
TOKEN_LENGTH = 20
# What another place or file changes besides.
ANEW = ("commit", "problem", "due_at", "reading_since")
# What members may add; the rest is for operators.
KINDS = (CatalogKind.GIT, CatalogKind.LIST, CatalogKind.UPLOAD)


@dataclass(frozen=True)
class Place:
    """Where a catalog is read from. Without user and password the known ones count, unless they shall be forgotten.

    ``address`` may hold both, and a token in its query. What of it is masked stays what it was.
    """

    address: str = ""
    ref: str = ""
    folder: str = ""
    user: str = ""
    password: str = ""
    forget: bool = False


def add_catalog(
    environment: Environment,
    user: User,
    *,
    kind: CatalogKind,
    name: str,
    place: Place | None = None,
    upload: tuple[str, bytes] | None = None,
) -> Catalog:
    """A new catalog, read soon. ``upload`` is a file's name with its content. UserError names the field."""
    if kind not in KINDS:
        raise UserError("Choose a kind of catalog.", "kind")
    if environment.catalogs.count() >= MOST_CATALOGS:
        raise UserError(f"An environment has at most {MOST_CATALOGS} catalogs. Remove one that you do not need.")
    row = Catalog(environment=environment, kind=kind, name=checked_name(name), created_by=user)
    _check_name_free(row)
    if kind == CatalogKind.UPLOAD:
        take_upload(row, upload)
    else:
        put_at(row, place or Place())
    with transaction.atomic():
        _save(row)
        record("catalog.create", row, by=user, kind=row.kind, address=row.address)
    return row


@transaction.atomic
def change_catalog(
    row: Catalog, user: User, *, name: str, place: Place | None = None, upload: tuple[str, bytes] | None = None
) -> None:
    """Another name, place or file, or nothing of it. What it gave stays until the new place was read."""
    row = Catalog.objects.select_for_update(of=("self",)).get(pk=row.pk)
    row.name = checked_name(name)
    _check_name_free(row)
    if row.kind in (CatalogKind.GIT, CatalogKind.LIST) and place is not None:
        before = row.address
        put_at(row, place)
        if row.address != before:
            # An operator allowed it for that address.
            row.private = False
    if upload:
        # Looked at before anything is written: the database's other writers wait for that.
        _take_anew(row, upload)
    _save(row)
    record("catalog.update", row, by=user, address=row.address)
    if upload:
        record("catalog.upload", row, by=user, file=row.upload_name)


def _take_anew(row: Catalog, upload: tuple[str, bytes]) -> None:
    if row.kind != CatalogKind.UPLOAD:
        raise UserError("This catalog is not read from an uploaded file.")
    take_upload(row, upload)


def refresh_catalog(row: Catalog, user: User) -> None:
    """Read it as soon as a worker is free; nothing where that is going to happen anyway."""
    Catalog.objects.filter(pk=row.pk).update(due_at=timezone.now())
    record("catalog.refresh", row, by=user)


@transaction.atomic
def remove_catalog(row: Catalog, user: User) -> None:
    """Its recipes go with it; stacks that came from them stay."""
    if row.pk in PRESETS:
        raise UserError("This catalog comes with the platform. Turn it off instead.")
    record("catalog.remove", row, by=user, recipes=row.recipes.count())
    row.delete()


def checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or not name.isprintable():
        raise UserError("Give the catalog a name.", "name")
    if len(name) > 60:
        raise UserError(f"The name has {len(name)} characters; 60 is the most.", "name")
    return name


def _check_name_free(row: Catalog) -> None:
    same = Catalog.objects.filter(environment=row.environment, name__iexact=row.name).exclude(pk=row.pk)
    if same.exists():
        raise UserError(f"There is a catalog called {row.name} already. Choose another name.", "name")


def put_at(row: Catalog, place: Place) -> None:
    """Give the row its address and credentials, checked; it is due then. UserError names the field.

    The address that everybody is shown holds no secret: those go to the credentials, which are encrypted.
    """
    before, known = row.address, row.secret if isinstance(row.secret, dict) else {}
    query = ""
    if row.kind == CatalogKind.FOLDER:
        row.address = str(allowed_folder(place.address.strip()))
    else:
        found = hidden.apart(hidden.renewed(place.address.strip(), before, str(known.get("query", ""))))
        checked_address(found.whole, private=may_be_private(row))
        _check_question(row, found)
        row.address, query, place = found.shown, found.query, _with_login(place, found)
    row.ref = _plain(place.ref, "ref", 200)
    row.folder = _checked_folder(place.folder)
    row.secret = {**_login(known, before, row.address, place), **({"query": query} if query else {})} or None
    start_anew(row)


def _check_question(row: Catalog, found: hidden.Apart) -> None:
    if row.kind == CatalogKind.GIT and "?" in found.shown:
        raise UserError("A git address has no '?'. Write a token into the password's field.", "address")
    if len(found.shown) > MOST_ADDRESS:
        raise UserError("The address has too many values after its '?'.", "address")


def _with_login(place: Place, found: hidden.Apart) -> Place:
    """With the user and password of the address, where it has some; a long user alone is a token."""
    if not found.user and not found.password:
        return place
    if found.password and (place.user or place.password):
        raise UserError("Give user and password once: in the address, or in their own fields.", "address")
    if not found.password and not place.password and len(found.user) >= TOKEN_LENGTH:
        return replace(place, password=found.user)
    return replace(place, user=place.user or found.user, password=found.password or place.password)


def start_anew(row: Catalog) -> None:
    """Forget which state is known, and whatever reading is under way."""
    row.commit, row.problem = "", ""
    row.due_at, row.reading_since = timezone.now(), None


def _login(known: Mapping[str, str], before: str, address: str, place: Place) -> dict[str, str]:
    """What is signed in with; what is known goes to whom it was given for, and to nobody else."""
    user = _plain(place.user, "user", 200)
    if user or place.password:
        if not place.password:
            raise UserError("Give the password or token too.", "password")
        return {"user": user, "password": place.password}
    if place.forget or origin_of(before) != origin_of(address):
        return {}
    return {name: known[name] for name in ("user", "password") if name in known}


def origin_of(address: str) -> tuple[str, str]:
    """Whose address it is: who gets a password that is sent there."""
    url = urlsplit(address)
    return url.scheme, url.netloc


def _plain(text: str, field: str, most: int) -> str:
    text = text.strip()
    if not text.isprintable() or len(text) > most:
        raise UserError(f"It has more than {most} characters, or some that can't be printed.", field)
    return text


def _checked_folder(folder: str) -> str:
    folder = _plain(folder, "folder", 300).strip("/")
    if ".." in folder.split("/"):
        raise UserError("The subfolder must be within the repository: write it without '..'.", "folder")
    return folder


def checked_address(address: str, *, private: bool) -> str:
    """An http or https address without credentials; UserError at ``address``."""
    address = address.strip()
    if not address:
        raise UserError("Give the address.", "address")
    if len(address) > MOST_ADDRESS or not address.isprintable() or set(address) & set(" \"'<>\\"):
        raise UserError(
            f"The address has characters that no address has, or more than {MOST_ADDRESS} of them.", "address"
        )
    try:
        url = urlsplit(address)
        host, _ = url.hostname or "", url.port
    except ValueError:
        raise UserError("The address has a host or a port that can't be.", "address") from None
    if url.scheme not in ("https", "http") or not host:
        raise UserError("Write an address that begins with https://, or with http://.", "address")
    if not private and (host == "localhost" or _is_private(host)):
        raise UserError("This is no public address. Operators can allow it.", "address")
    return address


def _is_private(host: str) -> bool:
    literal = ":" in host or host.replace(".", "").isdigit()
    return literal and not reachable.may_be_reached(host)


def take_upload(row: Catalog, upload: tuple[str, bytes] | None) -> None:
    """Keep the file after a look at it: what can't be read is told at once, as far as that takes no long time."""
    if upload is None:
        raise UserError("Choose a file.", "upload")
    name, data = upload
    if len(data) > MOST_UPLOAD_BYTES:
        raise UserError(f"The file is over {MOST_UPLOAD_BYTES // 2**20} MB.", "upload")
    try:
        look_at(data, name, row.name)
    except PlatformError as error:
        raise UserError(str(error), "upload") from None
    row.upload, row.upload_name = data, text_of(name[-200:], 200)
    start_anew(row)


def _save(row: Catalog) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise UserError(f"There is a catalog called {row.name} already. Choose another name.", "name") from None
