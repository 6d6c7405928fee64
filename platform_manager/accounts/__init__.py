"""Signing in: local accounts, FIWARE Lab (Keyrock) and other providers, on django-allauth."""
