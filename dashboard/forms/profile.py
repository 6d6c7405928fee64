"""What users change about themselves here; the rest of the profile is allauth's."""

from __future__ import annotations

from django import forms
from django.contrib.auth.models import User


class ProfileForm(forms.ModelForm[User]):
    class Meta:
        model = User
        fields = ["first_name", "last_name"]
