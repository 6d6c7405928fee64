"""Settings of the Django project, from the environment alone; docs/settings.md lists them."""

import base64
import secrets
from pathlib import Path
from urllib.parse import urlsplit

import django_stubs_ext

from . import environ

# Lets classes of Django that are generic only in their type stubs be subscripted at run time.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
PM_VAR = environ.path("PM_VAR", BASE_DIR / "var")
PM_VAR.mkdir(mode=0o700, parents=True, exist_ok=True)

DEBUG = environ.flag("PM_DEBUG", False)
SECRET_KEY = environ.text("PM_SECRET_KEY") or environ.secret_file(PM_VAR / "secret-key", secrets.token_urlsafe(50))
# A key a line; "manage.py rotate_keys" writes new ones in front.
PM_ENCRYPTION_FILE = PM_VAR / "encryption-key"
PM_ENCRYPTION_KEYS = environ.words("PM_ENCRYPTION_KEYS")
PM_ENCRYPTION_KEYS_GIVEN = bool(PM_ENCRYPTION_KEYS)
if not PM_ENCRYPTION_KEYS_GIVEN:
    _fresh = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    PM_ENCRYPTION_KEYS = environ.secret_file(PM_ENCRYPTION_FILE, _fresh).split()

# Where users and hosts find the platform.
PM_URL = environ.text("PM_URL", "http://127.0.0.1:8000").rstrip("/")
PM_LISTEN = environ.words("PM_LISTEN", "127.0.0.1:8000")
PM_HUB_LISTEN = environ.words("PM_HUB_LISTEN", "127.0.0.1:2222")
# The address under which nested engines of the local driver reach the platform; empty: the engine's own bridge.
PM_LOCAL_ADDRESS = environ.text("PM_LOCAL_ADDRESS")
PM_JOIN_URL = environ.text("PM_JOIN_URL").rstrip("/")
PM_HUB_ADDRESS = environ.text("PM_HUB_ADDRESS")
PM_PORT = int(PM_LISTEN[0].rpartition(":")[2])
PM_HUB_PORT = environ.integer("PM_HUB_PORT", int(PM_HUB_LISTEN[0].rpartition(":")[2]))
# From where the platform dials hosts that can't reach it; empty: it dials none.
PM_DIRECT_FROM = environ.network("PM_DIRECT_FROM")
PM_HUB_KEY = environ.path("PM_HUB_KEY", PM_VAR / "hub-key")

PM_SOCKETS = environ.path("PM_SOCKETS", PM_VAR / "links")
PM_INSTALLATION = environ.text("PM_INSTALLATION") or environ.secret_file(PM_VAR / "installation", secrets.token_hex(3))
PM_LOCAL_ENGINE = environ.path("PM_LOCAL_ENGINE", Path("/var/run/docker.sock"))
PM_HOST_IMAGE = environ.text("PM_HOST_IMAGE")
PM_LOCAL_PRELOAD = environ.words("PM_LOCAL_PRELOAD")

PM_CONVERGE_SECONDS = environ.integer("PM_CONVERGE_SECONDS", 300)
PM_HOST_SECONDS = environ.integer("PM_HOST_SECONDS", 300)
PM_CLOUD_WATCH_SECONDS = environ.integer("PM_CLOUD_WATCH_SECONDS", 60)
PM_WORKER_SLOTS = environ.integer("PM_WORKER_SLOTS", 16)
PM_WORKER_TTL = environ.integer("PM_WORKER_TTL", 30)
PM_HOSTS_PER_ENVIRONMENT = environ.integer("PM_HOSTS_PER_ENVIRONMENT", 100)
PM_SOCKETS_PER_USER = environ.integer("PM_SOCKETS_PER_USER", 40)
# Whether users may name clouds at private addresses; presets of operators may in any case.
PM_PRIVATE_CLOUDS = environ.flag("PM_PRIVATE_CLOUDS", False)
PM_PRIVATE_REGISTRIES = environ.flag("PM_PRIVATE_REGISTRIES", False)
# Certificates in PEM that count for image registries besides the public ones.
PM_REGISTRY_CA = environ.certificates("PM_REGISTRY_CA_FILE")
# Seconds between two readings of a catalog; 0 reads them when somebody asks only.
PM_CATALOG_SECONDS = environ.integer("PM_CATALOG_SECONDS", 3600)
# An address, a folder of this machine (with a slash in front), or "none".
PM_SMARTSDK_RECIPES = environ.text("PM_SMARTSDK_RECIPES") or "https://github.com/smartsdk/smartsdk-recipes"
# Folders of this machine in which operators' catalogs may be.
PM_CATALOG_FOLDERS = environ.words("PM_CATALOG_FOLDERS")
# Whether users' catalogs may be at private addresses; operators allow it of single ones in any case.
PM_PRIVATE_CATALOGS = environ.flag("PM_PRIVATE_CATALOGS", False)
# What catalogs, their logos and the test of a registry's credentials go through; it looks up their names.
PM_CATALOG_PROXY = environ.proxy("PM_CATALOG_PROXY")
PM_KEEP_DAYS = environ.integer("PM_KEEP_DAYS", 90)
PM_AUDIT_DAYS = environ.integer("PM_AUDIT_DAYS", 365)
PM_INVITATIONS_PER_HOUR = environ.integer("PM_INVITATIONS_PER_HOUR", 20)

_host = urlsplit(PM_URL).hostname or "localhost"
ALLOWED_HOSTS = environ.words("PM_ALLOWED_HOSTS") or sorted(
    {_host, "localhost", "127.0.0.1", "[::1]"} | ({PM_LOCAL_ADDRESS, urlsplit(PM_JOIN_URL).hostname or ""} - {""})
)
CSRF_FAILURE_VIEW = "dashboard.views.token.refused"
CSRF_TRUSTED_ORIGINS = environ.words("PM_TRUSTED_ORIGINS") or [PM_URL]

INSTALLED_APPS = [
    # Before Django's admin, whose templates it replaces.
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "channels",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.github",
    "allauth.socialaccount.providers.gitlab",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.mfa",
    "allauth.usersessions",
    "platform_manager.accounts",
    "dashboard",
]

MIDDLEWARE = [
    "dashboard.views.middleware.ContentSecurityPolicy",
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "dashboard.views.origin.RequestOrigin",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "platform_manager.accounts.gate.LocalAccounts",
    "platform_manager.accounts.failures.ProviderFailures",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "platform_manager.urls"
ASGI_APPLICATION = "platform_manager.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "dashboard.views.context.frame",
            ],
        },
    },
]

# One address chooses the database: empty is SQLite in PM_VAR, sqlite:///path another file,
# postgresql://user:password@host:port/name PostgreSQL.
PM_DATABASE_URL = environ.text("PM_DATABASE_URL")
_database = urlsplit(PM_DATABASE_URL)
if _database.scheme not in ("", "sqlite", "postgresql"):
    raise environ.BadSetting("PM_DATABASE_URL", _database.scheme, "a postgresql:// or sqlite:// address")
if _database.scheme == "postgresql":
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            **environ.postgresql(PM_DATABASE_URL),
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
        }
    }
    PM_DBOS_URL = "postgresql+psycopg://" + PM_DATABASE_URL.split("://", 1)[1]
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": Path(_database.path) if _database.path else PM_VAR / "platform.sqlite3",
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;",
            },
            # A test database in memory could not be seen by the worker and the hub, which have their own threads.
            "TEST": {"NAME": PM_VAR / "test-platform.sqlite3"},
        }
    }
    PM_DBOS_URL = f"sqlite:///{PM_VAR / 'operations.sqlite3'}"

PM_REDIS_URL = environ.text("PM_REDIS_URL")
if PM_REDIS_URL:
    # Counts of tries to sign in, which all web processes share.
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": PM_REDIS_URL}}
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [PM_REDIS_URL]},
        }
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "dashboard.realtime.layer.EmbeddedLayer"}}
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# Signing in; docs/sign-in.md.
PM_LOCAL_ACCOUNTS = environ.flag("PM_LOCAL_ACCOUNTS", True)
PM_REGISTRATION = environ.flag("PM_REGISTRATION", False)
PM_FIWARE_NAME = environ.text("PM_FIWARE_NAME") or "FIWARE Lab"
PM_FIWARE_SERVER = environ.address("PM_FIWARE_SERVER", "https://account.lab.fiware.org")
PM_FIWARE_CLIENT_ID = environ.text("PM_FIWARE_CLIENT_ID")
PM_FIWARE_CLIENT_SECRET = environ.text("PM_FIWARE_CLIENT_SECRET") or environ.file_text("PM_FIWARE_CLIENT_SECRET_FILE")
PM_FIWARE_OPERATOR_ROLE = environ.text("PM_FIWARE_OPERATOR_ROLE").strip()
PM_FIWARE_REQUIRED_ROLE = environ.text("PM_FIWARE_REQUIRED_ROLE").strip()
PM_FIWARE_TRUST_EMAIL = environ.flag("PM_FIWARE_TRUST_EMAIL", False)
PM_OIDC_NAME = environ.text("PM_OIDC_NAME") or "OpenID Connect"
PM_OIDC_SERVER = environ.address("PM_OIDC_SERVER")
PM_OIDC_ORIGINS = environ.addresses("PM_OIDC_ORIGINS")
PM_OIDC_CLIENT_ID = environ.text("PM_OIDC_CLIENT_ID")
PM_OIDC_CLIENT_SECRET = environ.text("PM_OIDC_CLIENT_SECRET")
PM_GITHUB_CLIENT_ID = environ.text("PM_GITHUB_CLIENT_ID")
PM_GITHUB_CLIENT_SECRET = environ.text("PM_GITHUB_CLIENT_SECRET")
PM_GITLAB_SERVER = environ.address("PM_GITLAB_SERVER", "https://gitlab.com")
PM_GITLAB_CLIENT_ID = environ.text("PM_GITLAB_CLIENT_ID")
PM_GITLAB_CLIENT_SECRET = environ.text("PM_GITLAB_CLIENT_SECRET")
for _name in ("FIWARE", "OIDC", "GITHUB", "GITLAB"):
    if globals()[f"PM_{_name}_CLIENT_ID"] and not globals()[f"PM_{_name}_CLIENT_SECRET"]:
        raise environ.BadSetting(f"PM_{_name}_CLIENT_SECRET", "", "the secret that belongs to the client id")
if PM_OIDC_CLIENT_ID and not PM_OIDC_SERVER:
    raise environ.BadSetting("PM_OIDC_SERVER", "", "the server's address, which its client id needs")
_providers_on = any((PM_FIWARE_CLIENT_ID, PM_OIDC_CLIENT_ID, PM_GITHUB_CLIENT_ID, PM_GITLAB_CLIENT_ID))
if not PM_LOCAL_ACCOUNTS and not _providers_on:
    raise environ.BadSetting("PM_LOCAL_ACCOUNTS", "no", "possible without another way to sign in")

AUTHENTICATION_BACKENDS = ["platform_manager.accounts.backends.AccountsBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "environments"
SESSION_COOKIE_AGE = environ.integer("PM_SESSION_HOURS", 168) * 3600

globals().update(environ.smtp("PM_EMAIL_URL"))
_mail = bool(environ.text("PM_EMAIL_URL"))
DEFAULT_FROM_EMAIL = SERVER_EMAIL = environ.text("PM_EMAIL_FROM") or "platform-manager@localhost"

ACCOUNT_ADAPTER = "platform_manager.accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {"reset_password": "platform_manager.accounts.forms.PasswordForgotten"}
ACCOUNT_LOGIN_METHODS = {"username", "email"}
# Local accounts show first that their address is theirs, where mail can be sent; addresses that nobody confirmed
# are shown as such and count for nothing.
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*" if _mail else "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if _mail else "none"
ACCOUNT_EMAIL_NOTIFICATIONS = _mail
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Platform Manager: "
ACCOUNT_DEFAULT_HTTP_PROTOCOL = urlsplit(PM_URL).scheme
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# Over one second, minute, hour or day; by address, user, or what was typed.
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "signup": "10/h/ip",
    "reset_password": "20/h/ip,3/h/key",
    "reset_password_from_key": "20/m/ip",
    "reauthenticate": "10/m/user",
    "join_failed": "30/m/ip",
    "fiware_login": "120/m/ip",
    "fiware_callback": "120/m/ip",
}
# Keyrock gives no word on whether an address is confirmed; who they are is for the provider to say.
SOCIALACCOUNT_ADAPTER = "platform_manager.accounts.adapters.SocialAdapter"
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_EMAIL_REQUIRED = False
SOCIALACCOUNT_QUERY_EMAIL = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
# FIWARE Lab takes 10 to 15 s for a step.
SOCIALACCOUNT_REQUESTS_TIMEOUT = 30
_oidc = {"provider_id": "oidc", "name": PM_OIDC_NAME, "settings": {"server_url": PM_OIDC_SERVER}}
_gitlab = {"settings": {"gitlab_url": PM_GITLAB_SERVER}}


def _apps(client_id: str, secret: str, **more: object) -> list[dict[str, object]]:
    return [{"client_id": client_id, "secret": secret, **more}] if client_id else []


SOCIALACCOUNT_PROVIDERS = {
    "fiware": {
        "APPS": _apps(PM_FIWARE_CLIENT_ID, PM_FIWARE_CLIENT_SECRET),
        "VERIFIED_EMAIL": PM_FIWARE_TRUST_EMAIL,
    },
    "openid_connect": {"APPS": _apps(PM_OIDC_CLIENT_ID, PM_OIDC_CLIENT_SECRET, **_oidc)},
    "github": {"APPS": _apps(PM_GITHUB_CLIENT_ID, PM_GITHUB_CLIENT_SECRET)},
    "gitlab": {"APPS": _apps(PM_GITLAB_CLIENT_ID, PM_GITLAB_CLIENT_SECRET, **_gitlab)},
}
MFA_ADAPTER = "platform_manager.accounts.mfa.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = PM_LOCAL_ACCOUNTS
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PM_URL.startswith("https://")
# Nobody's clock is right to the second; and the second factor needs no confirmed address.
MFA_TOTP_TOLERANCE = 1
MFA_ALLOW_UNVERIFIED_EMAIL = True
# The last address in X-Forwarded-For is the one our own proxy has seen.
PM_BEHIND_PROXY = environ.flag("PM_BEHIND_PROXY", False)
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if PM_BEHIND_PROXY else 0

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "/static/"
STATIC_ROOT = environ.path("PM_STATIC_ROOT", PM_VAR / "static")
NODE_MODULES = environ.path("PM_NODE_MODULES", BASE_DIR / "node_modules")
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("vendor/tabler/css", NODE_MODULES / "@tabler/core/dist/css"),
    ("vendor/tabler/js", NODE_MODULES / "@tabler/core/dist/js"),
    ("vendor/icons", NODE_MODULES / "@tabler/icons-webfont/dist"),
    ("vendor/htmx", NODE_MODULES / "htmx.org/dist"),
]
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
SERVESTATIC_USE_FINDERS = True
SERVESTATIC_AUTOREFRESH = DEBUG
# Names of files hold no hash: after an upgrade nobody shall have old scripts with new pages for long.
SERVESTATIC_MAX_AGE = 0 if DEBUG else 60

UNFOLD = {
    "SITE_TITLE": "Platform Manager",
    "SITE_HEADER": "Platform Manager",
    "SITE_SUBHEADER": "for operators",
    "SITE_ICON": "dashboard.admin.site.mark",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "dashboard.admin.site.mark"}],
    "SHOW_HISTORY": False,
    "STYLES": ["dashboard.admin.site.stylesheet"],
    "SCRIPTS": ["dashboard.admin.site.script"],
    "GLOBAL_CALLBACK": "dashboard.admin.site.everywhere",
    "DASHBOARD_CALLBACK": "dashboard.admin.home.figures",
    "SIDEBAR": {"navigation": "dashboard.admin.site.navigation"},
}

_secure = PM_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _secure
SECURE_SSL_REDIRECT = _secure and environ.flag("PM_SSL_REDIRECT", True)
SECURE_HSTS_SECONDS = 31_536_000 if _secure else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = environ.flag("PM_HSTS_SUBDOMAINS", True)
# With it in the header anybody may put the whole domain on browsers' lists, for years: an operator's choice, and
# no defect where it is not made.
SECURE_HSTS_PRELOAD = environ.flag("PM_HSTS_PRELOAD", False)
SILENCED_SYSTEM_CHECKS = ["security.W021"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PM_BEHIND_PROXY else None
SECURE_REFERRER_POLICY = "same-origin"
# Browsers take __Host- cookies from this very host over HTTPS only, so no neighbour can plant one.
_prefix = "__Host-" if _secure else ""
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{_prefix}sessionid", f"{_prefix}csrftoken"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
# Not Strict: who comes back from the server that signs people in must still have a session.
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
# Everything in a project may be chosen for a clean-up, and is refused with a sentence where that is too much.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "filters": {"without_tokens": {"()": "platform_manager.log_masking.WithoutTokens"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["without_tokens"]}},
    "root": {"handlers": ["console"], "level": environ.text("PM_LOG_LEVEL", "WARNING")},
    "loggers": {
        "django.request": {"filters": ["without_tokens"]},
        "django.security.csrf": {"filters": ["without_tokens"]},
        "platform.pages": {"filters": ["without_tokens"]},
        # They write addresses that they ask for.
        "urllib3.connectionpool": {"filters": ["without_tokens"]},
        "urllib3.poolmanager": {"filters": ["without_tokens"]},
        "urllib3.util.retry": {"filters": ["without_tokens"]},
        # At DEBUG it writes all that a page is made of, answers of recipes too.
        "django.template": {"level": "INFO"},
        "django.server": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "platform": {"level": environ.text("PM_LOG_LEVEL", "INFO")},
        "asyncssh": {"level": "WARNING"},
        "dbos": {"level": "WARNING"},
    },
}
