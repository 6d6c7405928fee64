"""Forms about cloud accounts. What they hold in secret fields is never rendered back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from dashboard.flows.clouds import account_of_file
from dashboard.models import CloudPreset
from platform_manager.clouds.openstack.account import DEFAULT_DOMAIN, Account
from platform_manager.clouds.openstack.readers import MOST_BYTES
from platform_manager.errors import UserError

WAYS = [
    ("file", "openrc or clouds.yaml"),
    ("password", "User and password"),
    ("credential", "Application credential"),
]
PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


class BlindTextarea(forms.Textarea):
    """For what may hold a secret: what was typed is not sent back."""

    def format_value(self, value: Any) -> str:
        return ""


SECRET = forms.PasswordInput(attrs={"autocomplete": "new-password"})


def _text(label: str, help_text: str = "", **more: Any) -> forms.CharField:
    widget = forms.TextInput(attrs=PLAIN)
    return forms.CharField(max_length=300, required=False, label=label, help_text=help_text, widget=widget, **more)


class CloudAccountForm(forms.Form):
    """A new account: of a file, of a user with a password, or of an application credential."""

    name = forms.CharField(
        max_length=60,
        help_text="What it is called in lists.",
        error_messages={"required": "Give the account a name.", "max_length": "A name has at most 60 characters."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "For example: smart city in Spain2"}),
    )
    preset = forms.ModelChoiceField(
        CloudPreset.objects.all(),
        required=False,
        label="Cloud",
        empty_label="Another OpenStack",
        error_messages={"invalid_choice": "Operators have removed this cloud: choose another."},
    )
    way = forms.ChoiceField(choices=WAYS, initial="file", widget=forms.RadioSelect, label="How you sign in there")
    file = forms.FileField(
        required=False,
        label="File",
        help_text="As Horizon offers it under API Access. It is read, never run.",
        allow_empty_file=True,
    )
    pasted = forms.CharField(
        required=False,
        strip=False,
        label="Or paste it",
        max_length=MOST_BYTES,
        widget=BlindTextarea(attrs={**PLAIN, "rows": 6}),
    )
    cloud = _text("Which of its clouds", "Only for a clouds.yaml with several.")
    auth_url = _text("Auth URL", "Of the identity service, such as https://cloud.example.org:5000/v3.")
    user = _text("User")
    user_domain = _text("Domain of the user", initial=DEFAULT_DOMAIN)
    project = _text("Project", "Formerly called tenant.")
    project_domain = _text("Domain of the project", initial=DEFAULT_DOMAIN)
    credential_id = _text("Id of the application credential")
    credential_secret = forms.CharField(
        max_length=1000, required=False, strip=False, label="Secret of the application credential", widget=SECRET
    )
    password = forms.CharField(
        max_length=1000,
        required=False,
        strip=False,
        widget=SECRET,
        help_text="With a file: only where the file asks for it.",
    )
    region = _text("Region", "Empty: the file's, or you choose among those of the cloud afterwards.")
    ca = forms.CharField(
        required=False,
        max_length=MOST_BYTES,
        label="CA bundle",
        help_text="In PEM; only for a cloud that signed its own certificate.",
        widget=forms.Textarea(attrs={**PLAIN, "rows": 3}),
    )

    def account(self) -> Account:
        """The account as it was given, not asked yet; UserError at a field. For a form that is valid."""
        given = self.cleaned_data
        if given["way"] == "file":
            account = account_of_file(self._content(), given["cloud"])
            # What the file leaves out may be typed; of the rest only what people change: region and CA bundle.
            wanted = {"credential_secret"} if account.by_credential else {"auth_url", "user", "password", "project"}
            names = {name for name in wanted if not getattr(account, name)} | {"region", "ca"}
        elif given["way"] == "credential":
            account, names = Account(""), {"auth_url", "credential_id", "credential_secret", "region", "ca"}
            if not given["credential_id"]:
                raise UserError("Give the id of the application credential.", "credential_id")
        else:
            account = Account("")
            names = {"auth_url", "user", "user_domain", "project", "project_domain", "password", "region", "ca"}
        return replace(account, **{name: given[name] for name in names if given[name]})

    def _content(self) -> str:
        file = self.cleaned_data.get("file")
        if not isinstance(file, UploadedFile):
            if not self.cleaned_data["pasted"].strip():
                raise UserError("Choose the file, or paste what is in it.", "file")
            return str(self.cleaned_data["pasted"])
        if (file.size or 0) > MOST_BYTES:
            raise UserError("The file is over 64 KiB: it is neither an openrc nor a clouds.yaml.", "file")
        try:
            content: bytes = file.read()
            return content.decode()
        except UnicodeDecodeError:
            raise UserError("The file is no text: it is neither an openrc nor a clouds.yaml.", "file") from None


class ChangeAccountForm(forms.Form):
    """Name, region and secret of an account that is there; ``regions`` are those to choose from."""

    name = forms.CharField(max_length=60, error_messages={"required": "Give the account a name."})
    region = forms.ChoiceField(required=False, choices=[])
    secret = forms.CharField(
        max_length=1000,
        required=False,
        strip=False,
        label="New password",
        help_text="Empty: it stays what it is. It is never shown.",
        widget=SECRET,
    )

    def __init__(self, *args: Any, regions: list[str], by_credential: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["region"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = [("", "Choose a region")] * (not self.initial.get("region")) + [(one, one) for one in regions]
        if by_credential:
            self.fields["secret"].label = "New secret of the application credential"


class ShareForm(forms.Form):
    """``environments`` are those the owner may share it with."""

    environments = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Environments whose members may add hosts with it",
        error_messages={"invalid_choice": "You can't share it with this environment (any more)."},
    )

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["environments"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 - declared above
        field.choices = choices


class _Keys(forms.MultipleChoiceField):
    """What the choices are, the cloud knows; the flow asks it."""

    def valid_value(self, value: str) -> bool:
        return True


class CleanupForm(forms.Form):
    """What of a project shall be deleted, by key."""

    chosen = _Keys(required=False)
    typed_name = forms.CharField(
        label="Name of the project",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
