"""Forms about catalogs. A password is never rendered back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from dashboard.catalogs.limits import MOST_UPLOAD_BYTES
from dashboard.flows.catalogs import Place
from dashboard.models import Catalog, CatalogKind

PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
PLACE = ("address", "ref", "folder", "user", "password", "forget")
EXAMPLES = {
    CatalogKind.GIT: "Such as https://github.com/smartsdk/smartsdk-recipes",
    CatalogKind.LIST: "Of the JSON file itself, such as https://example.org/templates.json. A token after its '?' is "
    "stored encrypted and shown as ••••, which you may leave as it stands.",
}


def _text(label: str, most: int, help_text: str = "", *, required: bool = False, **more: Any) -> forms.CharField:
    widget = forms.TextInput(attrs=PLAIN)
    return forms.CharField(max_length=most, required=required, label=label, help_text=help_text, widget=widget, **more)


class CatalogForm(forms.Form):
    """A catalog of one kind; fields that its kind does not have are left out. ``row`` is the one that is changed."""

    name = _text(
        "Name",
        60,
        "What it is called in the catalog.",
        required=True,
        error_messages={"required": "Give the catalog a name.", "max_length": "A name has at most 60 characters."},
    )
    address = _text("Address", 500, required=True, error_messages={"required": "Give the address."})
    ref = _text("Branch or tag", 200, "Empty: the repository's own.")
    folder = _text("Subfolder", 300, "Empty: the whole repository.")
    user = _text("User", 200, "Only where the address asks for one. For a token, often any name does.")
    password = forms.CharField(
        max_length=1_000,
        required=False,
        strip=False,
        label="Password or token",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Stored encrypted and never shown again.",
    )
    forget = forms.BooleanField(required=False, label="Forget the user and password that are known")
    upload = forms.FileField(
        label="File",
        allow_empty_file=True,
        help_text="A .zip or .tar.gz of a catalog or of compose files, a template list, or one compose file; up to "
        f"{MOST_UPLOAD_BYTES // 2**20} MB.",
        error_messages={"required": "Choose a file."},
    )

    def __init__(self, *args: Any, kind: CatalogKind, row: Catalog | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in _without(kind):
            del self.fields[name]
        if "address" in self.fields:
            self.fields["address"].help_text = EXAMPLES.get(kind, "")
        if row is not None and "upload" in self.fields:
            self.fields["upload"].required = False
            self.fields["upload"].label = "Another file"
        if "forget" in self.fields and not (row and row.signs_in):
            del self.fields["forget"]
        elif "forget" in self.fields:
            self.fields["user"].help_text = "Empty, with an empty password: both stay. They are never shown."
            self.fields["password"].help_text = "They are forgotten where the address leads to another server."

    @property
    def place(self) -> Place:
        """Of a valid form."""
        given = self.cleaned_data
        return Place(**{name: given[name] for name in PLACE if name in given})

    def clean_upload(self) -> tuple[str, bytes] | None:
        file = self.cleaned_data.get("upload")
        if not isinstance(file, UploadedFile):
            return None
        if (file.size or 0) > MOST_UPLOAD_BYTES:
            raise forms.ValidationError(f"The file is over {MOST_UPLOAD_BYTES // 2**20} MB.")
        return file.name or "", file.read()


def _without(kind: CatalogKind) -> tuple[str, ...]:
    """The fields that a catalog of the kind does not have."""
    if kind == CatalogKind.UPLOAD:
        return PLACE
    if kind == CatalogKind.LIST:
        return "ref", "folder", "upload"
    return ("upload",)


def initial_of(row: Catalog) -> dict[str, Any]:
    """What the form of a catalog that is there begins with; never user and password."""
    return {"name": row.name, "address": row.address, "ref": row.ref, "folder": row.folder}
