"""Settings come from the environment only; a bad word stops the start with the variable's name."""

import os
import re
import ssl
from contextlib import suppress
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


class BadSetting(SystemExit):
    """A variable holds what it can't mean."""

    def __init__(self, name: str, value: str, wanted: str) -> None:
        super().__init__(f"{name}={value!r} is not {wanted}. Mend the variable and start again.")


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, default)


def flag(name: str, default: bool) -> bool:
    value = os.environ.get(name, "").strip().lower()
    if value in ("", "1", "true", "yes", "on", "0", "false", "no", "off"):
        return default if value == "" else value in ("1", "true", "yes", "on")
    raise BadSetting(name, value, "yes or no")


def integer(name: str, default: int) -> int:
    value = os.environ.get(name, "")
    try:
        return int(value) if value else default
    except ValueError:
        raise BadSetting(name, value, "a whole number") from None


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def address(name: str, default: str = "") -> str:
    """An http or https address without a slash at its end, or nothing."""
    return _address(name, os.environ.get(name, "").strip() or default)


def addresses(name: str) -> list[str]:
    return [_address(name, word) for word in words(name)]


def _address(name: str, value: str) -> str:
    url = urlsplit(value)
    plain = value.isascii() and value.isprintable() and not set(value) & set(" ,;'\"?#@")
    if value and not (url.scheme in ("http", "https") and url.hostname and plain):
        raise BadSetting(name, value, "an http:// or https:// address")
    return value.rstrip("/")


def proxy(name: str) -> str:
    """The address of an HTTP proxy, http://host:port, or nothing."""
    value = os.environ.get(name, "").strip().rstrip("/")
    if value and not re.fullmatch(r"http://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):\d{1,5}", value):
        # Whoever writes more may have written a password.
        raise BadSetting(name, f"{value.partition(':')[0]}...", "a proxy such as http://proxy.example.org:3128")
    return value


def network(name: str) -> str:
    """An IPv4 network in CIDR form, such as 192.0.2.0/24, or nothing."""
    value = os.environ.get(name, "").strip()
    try:
        return str(IPv4Network(value)) if value else ""
    except ValueError:
        raise BadSetting(name, value, "an IPv4 network such as 192.0.2.0/24") from None


def file_text(name: str) -> str:
    """The text of the file whose path the variable holds; nothing without one."""
    value = os.environ.get(name, "")
    try:
        return Path(value).read_text().strip() if value else ""
    except (OSError, UnicodeDecodeError):
        raise BadSetting(name, value, "a file that can be read") from None


def certificates(name: str) -> str:
    """The certificates in PEM of the file whose path the variable holds; nothing without one."""
    value = file_text(name)
    try:
        if value:
            ssl.create_default_context(cadata=value)
    except (ssl.SSLError, ValueError):
        raise BadSetting(name, os.environ[name], "a file of certificates in PEM form") from None
    return value


def smtp(name: str) -> dict[str, Any]:
    """Django's e-mail settings for smtp://user:password@host:port (STARTTLS with smtp+tls, TLS with smtps)."""
    value = os.environ.get(name, "")
    url = urlsplit(value)
    if not value:
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    if url.scheme not in ("smtp", "smtp+tls", "smtps") or not url.hostname:
        raise BadSetting(name, f"{url.scheme}://...", "an smtp://, smtp+tls:// or smtps:// address")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": url.hostname,
        "EMAIL_PORT": url.port or {"smtp": 25, "smtp+tls": 587, "smtps": 465}[url.scheme],
        "EMAIL_HOST_USER": unquote(url.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(url.password or ""),
        "EMAIL_USE_TLS": url.scheme == "smtp+tls",
        "EMAIL_USE_SSL": url.scheme == "smtps",
        "EMAIL_TIMEOUT": 20,
    }


def path(name: str, default: Path) -> Path:
    value = os.environ.get(name, "")
    return Path(value) if value else default


def postgresql(address: str) -> dict[str, Any]:
    """Django's words for postgresql://user:password@host:port/name?sslmode=...; special letters are %-encoded."""
    url = urlsplit(address)
    return {
        "NAME": unquote(url.path.lstrip("/")),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": unquote(url.hostname or ""),
        "PORT": str(url.port or ""),
        "OPTIONS": dict(parse_qsl(url.query)),
    }


def secret_file(file: Path, make: str) -> str:
    """The text of a secret file, made with ``make`` and mode 0600 when it is not there yet."""
    if not file.exists():
        fresh = file.with_name(f".{file.name}.{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
            stream.write(make)
        # Linked, not renamed: of two processes that start at once, both use the first one's secret.
        with suppress(FileExistsError):
            os.link(fresh, file)
        fresh.unlink()
    return file.read_text().strip()
