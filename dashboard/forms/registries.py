"""Forms about image registries. A password is never rendered back; whether it is right, the registry says."""

from __future__ import annotations

from django import forms

PASSWORD = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"})


class ChangeRegistryForm(forms.Form):
    username = forms.CharField(
        max_length=200,
        label="User",
        error_messages={"required": "Write the user."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    password = forms.CharField(
        max_length=10_000,
        required=False,
        strip=False,
        label="Password or access token",
        help_text="If blank: the one it has.",
        widget=PASSWORD,
    )


class RegistryForm(ChangeRegistryForm):
    server = forms.CharField(
        max_length=300,
        label="Registry",
        help_text="As in the names of images: registry.example.org:5000. For images without one, docker.io.",
        error_messages={"required": "Write the registry's name."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    password = forms.CharField(
        max_length=10_000,
        strip=False,
        label="Password or access token",
        help_text="A token that may only pull is best: hosts get it to pull images with.",
        error_messages={"required": "Write the password, or an access token."},
        widget=PASSWORD,
    )
    field_order = ["server", "username", "password"]
