"""Django's settings, production-shaped. Every value that differs between installations comes from the environment.

docs/settings.md describes the variables.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from marketo_admin.env import Environment, get_or_create_secret, make_folder
from marketo_admin.headers import content_policy
from mobjects.accounts.names import PEER, PROVIDER_ID
from mobjects.local.redis_server import find_running_url
from mobjects.marketo.registry import DEFAULT, TRANSPORTS

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

env = Environment.load(BASE_DIR / ".env")

DEBUG = env.flag("DJANGO_DEBUG", default=False)
SECRET_KEY = env.secret("DJANGO_SECRET_KEY")
if not SECRET_KEY:
    if not DEBUG:
        raise ImproperlyConfigured(
            "DJANGO_SECRET_KEY is not set: give it 50 or more random characters (to try things, set DJANGO_DEBUG=true)."
        )
    SECRET_KEY = get_or_create_secret(VAR_DIR / "secret_key")
ALLOWED_HOSTS = env.names("DJANGO_ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]"))

INSTALLED_APPS = [
    "marketo_admin.theme.apps.ThemeConfig",
    "unfold.contrib.import_export",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "import_export",
    "django_rq",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "axes",
    "mobjects",
]
MIDDLEWARE = [
    "marketo_admin.request_log.RequestLogMiddleware",
    "marketo_admin.health.HealthMiddleware",
    "mobjects.accounts.addresses.ClientAddressMiddleware",
    "marketo_admin.metrics.MetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "marketo_admin.headers.PermissionsPolicyMiddleware",
    "marketo_admin.headers.ContentPolicyMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "marketo_admin.lookups.LookupMiddleware",
    # Before the next one, which reads the body.
    "marketo_admin.bodies.BodyMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "mobjects.audit.current_request.AuditMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "mobjects.accounts.sessions.SessionLimitsMiddleware",
    "mobjects.accounts.second_factor.SecondFactorMiddleware",
    "mobjects.views.time_zone.PersonMiddleware",
    # Behind all that looks after sessions: a token has none.
    "mobjects.api.middleware.TokenMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": ["marketo_admin.theme.templates.Loader"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
ROOT_URLCONF = "marketo_admin.urls"
WSGI_APPLICATION = "marketo_admin.wsgi.application"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

POOLED = env.flag("DATABASE_PGBOUNCER", default=False)
DATABASES = {"default": env.database("DATABASE_URL", default="sqlite:///var/db.sqlite3", base=BASE_DIR, pooled=POOLED)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# A program's page with many costs and tags sends more fields than Django's default of 1,000.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

# --- Accounts ----------------------------------------------------------------------------------------------------

ACCOUNTS: dict[str, Any] = {
    # Proxies whose X-Forwarded-For is believed; docs/accounts.md.
    "PROXIES": env.networks("DJANGO_PROXY_ADDRESSES"),
    "IDLE_MINUTES": env.number("ACCOUNTS_IDLE_MINUTES", default=30, minimum=1, maximum=1440),
    "OIDC_NAME": env.text("ACCOUNTS_OIDC_NAME", "the company’s account") if env.text("ACCOUNTS_OIDC_SERVER") else "",
    "OIDC_GROUPS": env.pairs("ACCOUNTS_OIDC_GROUPS"),
    "OIDC_GROUPS_CLAIM": env.text("ACCOUNTS_OIDC_GROUPS_CLAIM", "groups"),
    "OIDC_LINK_USERS": env.flag("ACCOUNTS_OIDC_LINK_USERS", default=False),
    "REMOTE_USER_HEADER": env.text("ACCOUNTS_REMOTE_USER_HEADER"),
    "SECOND_FACTOR_GROUPS": env.names("ACCOUNTS_SECOND_FACTOR_GROUPS"),
    "LOCK_MINUTES": env.number("ACCOUNTS_LOCK_MINUTES", default=15, minimum=1, maximum=1440),
    "TOKEN_DAYS": env.number("ACCOUNTS_TOKEN_DAYS", default=365, minimum=1, maximum=3650),
    "API_PER_MINUTE": env.number("ACCOUNTS_API_PER_MINUTE", default=300, minimum=1, maximum=100_000),
    "SESSION_HOURS": env.number("ACCOUNTS_SESSION_HOURS", default=12, minimum=1, maximum=720),
}
SESSION_COOKIE_AGE = ACCOUNTS["SESSION_HOURS"] * 3600
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in (
        ("UserAttributeSimilarityValidator", {}),
        (
            "MinimumLengthValidator",
            {"min_length": env.number("ACCOUNTS_PASSWORD_LENGTH", default=12, minimum=8, maximum=128)},
        ),
        ("CommonPasswordValidator", {}),
        ("NumericPasswordValidator", {}),
    )
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "mobjects.accounts.backend.AccountBackend"]
# Each by itself: names are guessed from many addresses, and many names from one.
AXES_LOCKOUT_PARAMETERS = ["username", "ip_address"]
AXES_FAILURE_LIMIT = env.number("ACCOUNTS_FAILURES", default=10, minimum=3, maximum=1000)
AXES_COOLOFF_TIME = timedelta(minutes=ACCOUNTS["LOCK_MINUTES"])
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # Whoever goes on trying locks nobody out for longer.
AXES_CLIENT_IP_CALLABLE = "mobjects.accounts.addresses.client_address"
AXES_USERNAME_CALLABLE = "mobjects.accounts.lockout.counted_name"
AXES_LOCKOUT_CALLABLE = "mobjects.accounts.lockout.say_locked_out"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "login", "code", "csrfmiddlewaretoken"]
AXES_DISABLE_ACCESS_LOG = True  # The audit log has it.
AXES_ENABLE_ADMIN = AXES_VERBOSE = False
ACCOUNT_ADAPTER = "mobjects.accounts.adapters.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"  # The site sends no mail.
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False  # django-axes counts.
SOCIALACCOUNT_ADAPTER = "mobjects.accounts.provider_sign_in.ProviderAdapter"
SOCIALACCOUNT_PROVIDERS: dict[str, dict[str, Any]] = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": []}}
if OIDC_SERVER := env.text("ACCOUNTS_OIDC_SERVER"):
    if not ACCOUNTS["OIDC_GROUPS"] or not env.text("ACCOUNTS_OIDC_CLIENT_ID"):
        raise ImproperlyConfigured(
            "ACCOUNTS_OIDC_SERVER is set: set ACCOUNTS_OIDC_CLIENT_ID and ACCOUNTS_OIDC_GROUPS, too."
        )
    SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"] = [
        {
            "provider_id": PROVIDER_ID,
            "name": ACCOUNTS["OIDC_NAME"],
            "client_id": env.text("ACCOUNTS_OIDC_CLIENT_ID"),
            "secret": env.secret("ACCOUNTS_OIDC_CLIENT_SECRET"),
            # What counts stands in the ID token, whose signature is checked.
            "settings": {"server_url": OIDC_SERVER, "fetch_userinfo": False},
        }
    ]
if ACCOUNTS["REMOTE_USER_HEADER"]:
    after = MIDDLEWARE.index("django.contrib.auth.middleware.AuthenticationMiddleware") + 1
    MIDDLEWARE.insert(after, "mobjects.accounts.remote_user.ProxyUserMiddleware")
    AUTHENTICATION_BACKENDS.append("mobjects.accounts.remote_user.ProxyUserBackend")
MFA_ADAPTER = "mobjects.accounts.adapters.SecondFactorAdapter"
MFA_TOTP_TOLERANCE = 1  # a clock half a minute off
MFA_FORMS = {
    "authenticate": "mobjects.accounts.second_factor.SignInCodeForm",
    "reauthenticate": "mobjects.accounts.second_factor.ConfirmCodeForm",
    "activate_totp": "mobjects.accounts.second_factor.EnrolForm",
}

LANGUAGE_CODE = "en-us"
LANGUAGES = [("en", "English"), ("ko", "한국어")]  # each in its own words
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

# --- Serving -----------------------------------------------------------------------------------------------------

HTTPS = env.flag("DJANGO_HTTPS", default=not DEBUG)
SECURE_SSL_REDIRECT = HTTPS
_HSTS_SECONDS = env.number("DJANGO_HSTS_SECONDS", default=365 * 24 * 3600, minimum=0, maximum=10 * 365 * 24 * 3600)
SECURE_HSTS_SECONDS = _HSTS_SECONDS if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.flag("DJANGO_HSTS_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = env.flag("DJANGO_HSTS_PRELOAD", default=False)
# Subdomains, and the list that browsers ship with, are for the owner of the domain to decide; ours are in checks.py.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
if HTTPS:
    # Browsers take cookies of such a name from this very host over TLS only, not from a neighbour in its domain.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
# Where a proxy changes host or port, forms come from an address that Django does not know to be ours.
CSRF_TRUSTED_ORIGINS = env.origins("DJANGO_TRUSTED_ORIGINS")
CSRF_FAILURE_VIEW = "marketo_admin.errors.form_refused"
X_FRAME_OPTIONS = "DENY"
SECURE_CSP = content_policy([OIDC_SERVER, *env.origins("ACCOUNTS_OIDC_ORIGINS")])
if env.flag("DJANGO_BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    # Whoever connects is the proxy, unless its addresses are given.
    ACCOUNTS["PROXIES"] = ACCOUNTS["PROXIES"] or [PEER]

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
MEDIA_ROOT = VAR_DIR / "media"  # Uploads between preview and confirmation; no URL leads here.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

LOG_FORMAT = env.choice("LOG_FORMAT", default="line", choices=("line", "json"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    # Whatever was read as a secret, by then, is masked in every line.
    "formatters": {
        "line": {"()": "marketo_admin.log_format.LineFormatter", "secrets": env.secrets_read},
        "json": {"()": "marketo_admin.log_format.JsonFormatter", "secrets": env.secrets_read},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "urllib3": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
    },
}

# --- Metrics -----------------------------------------------------------------------------------------------------

METRICS_TOKEN = env.secret("METRICS_TOKEN", shortest=16)
METRICS_FOLDER = env.text("METRICS_FOLDER")
if METRICS_FOLDER:
    # The client library looks for it once, when it is imported: web processes count together there.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = METRICS_FOLDER
    make_folder("METRICS_FOLDER", METRICS_FOLDER)

# --- Queue -------------------------------------------------------------------------------------------------------

REDIS_URL = env.redis_url("REDIS_URL", find_running_url(VAR_DIR / "redis") or "redis://127.0.0.1:6379/0")
# Shared by all web hosts: which codes of second factors were used. As JSON, not as pickles: whoever can write to Redis
# must not run anything here.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "marketo-admin",
        "OPTIONS": {"serializer": "mobjects.accounts.json_cache.JsonSerializer"},
    }
}
RQ_QUEUES = {
    "sync": {
        "URL": REDIS_URL,
        "DEFAULT_TIMEOUT": 4 * 3600,
        "SERIALIZER": "rq.serializers.JSONSerializer",
    }
}
RQ = {
    "QUEUE_CLASS": "mobjects.jobs.queue.InstallationQueue",
    "WORKER_CLASS": "mobjects.processes.worker.SyncWorker",
}
RQ_SHOW_ADMIN_LINK = False  # Any staff user can empty a queue there.

# How far this installation has come, outside its database: a database that knows less was restored from a backup.
INSTALLATION_FILE = env.text("INSTALLATION_FILE", str(VAR_DIR / "installation.json"))

# --- Audit -------------------------------------------------------------------------------------------------------

# Where the end of the chain over the history is written to, once an hour, so that the database alone cannot change it.
HISTORY_ANCHORS = {
    "FILE": env.text("HISTORY_ANCHOR_FILE"),
    "WEBHOOK": env.https_url("HISTORY_ANCHOR_WEBHOOK"),
    "SYSLOG": env.text("HISTORY_ANCHOR_SYSLOG"),
}

# --- Import and export -------------------------------------------------------------------------------------------

IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "export"
# The most that an import reads; the size of the file is no matter on the command line.
IMPORT_MAX_MB = env.number("IMPORT_MAX_MB", default=150, minimum=1, maximum=10_000)
IMPORT_MAX_COLUMNS = env.number("IMPORT_MAX_COLUMNS", default=200, minimum=1, maximum=16_384)
IMPORT_MAX_CELL_CHARACTERS = env.number("IMPORT_MAX_CELL_CHARACTERS", default=32_767, minimum=1, maximum=1_000_000)
IMPORT_MAX_UNPACKED_MB = env.number("IMPORT_MAX_UNPACKED_MB", default=1000, minimum=1, maximum=100_000)

# --- Retention ---------------------------------------------------------------------------------------------------

# After so many days what is over goes, kind by kind; 0 keeps it for ever. See docs/retention.md.
RETENTION_NOTICE_DAYS = env.number("RETENTION_NOTICE_DAYS", default=14, minimum=0, maximum=365)
RETENTION_DAYS = {
    "payloads": env.number("RETENTION_PAYLOADS_DAYS", default=90, minimum=0, maximum=36_500),
    "results": env.number("RETENTION_RESULTS_DAYS", default=730, minimum=0, maximum=36_500),
    "files": env.number("RETENTION_FILES_DAYS", default=90, minimum=0, maximum=36_500),
    "rows": env.number("RETENTION_ROWS_DAYS", default=365, minimum=0, maximum=36_500),
    "deletions": env.number("RETENTION_DELETIONS_DAYS", default=365, minimum=0, maximum=36_500),
    "edits": env.number("RETENTION_EDITS_DAYS", default=1095, minimum=0, maximum=36_500),
    "audit": env.number("RETENTION_AUDIT_DAYS", default=1095, minimum=0, maximum=36_500),
    "downloads": env.number("RETENTION_DOWNLOADS_DAYS", default=730, minimum=0, maximum=36_500),
    "inbox": env.number("RETENTION_INBOX_DAYS", default=90, minimum=0, maximum=36_500),
}

# --- Notices -----------------------------------------------------------------------------------------------------

NOTICES: dict[str, Any] = {
    "SITE_ADDRESS": (env.origins("SITE_ADDRESS") or [f"{'https' if HTTPS else 'http'}://{ALLOWED_HOSTS[0]}"])[0],
    "FAILED_PERCENT": env.number("NOTICES_FAILED_PERCENT", default=10, minimum=1, maximum=100),
    "QUOTA_PERCENT": env.number("NOTICES_QUOTA_PERCENT", default=90, minimum=1, maximum=100),
    "SCHEDULE_HOURS": env.number("NOTICES_SCHEDULE_HOURS", default=2, minimum=1, maximum=720),
    "IMPORT_HOURS": env.number("NOTICES_IMPORT_HOURS", default=24, minimum=1, maximum=720),
    "LONG_WORK_MINUTES": env.number("NOTICES_LONG_WORK_MINUTES", default=2, minimum=1, maximum=1440),
    "PROCESS_MINUTES": env.number("NOTICES_PROCESS_MINUTES", default=2, minimum=1, maximum=1440),
    "INNER_HOSTS": env.names("NOTICES_INNER_HOSTS"),
}
EMAIL_HOST, EMAIL_BACKEND = env.text("EMAIL_HOST"), "mobjects.notices.channels.mail_backend.TimedEmailBackend"
EMAIL_SECURITY = env.choice("EMAIL_SECURITY", default="starttls", choices=("starttls", "tls", "none"))
EMAIL_USE_TLS, EMAIL_USE_SSL = EMAIL_SECURITY == "starttls", EMAIL_SECURITY == "tls"
EMAIL_PORT = env.number("EMAIL_PORT", default=465 if EMAIL_USE_SSL else 587, minimum=1, maximum=65_535)
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = env.text("EMAIL_USER"), env.secret("EMAIL_PASSWORD")
EMAIL_TIMEOUT, DEFAULT_FROM_EMAIL = 10, env.text("EMAIL_FROM", "marketo-admin@localhost")

# --- Look ---------------------------------------------------------------------------------------------------------

UNFOLD = {
    "SITE_TITLE": "Marketo Admin",
    "SITE_HEADER": "Marketo Admin",
    "SITE_SYMBOL": "sync_alt",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "mobjects.presentation.navigation.favicon_url"}],
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "mobjects.views.dashboard.dashboard_callback",
    "SCRIPTS": [
        "mobjects.views.time_zone.script_address",
        "mobjects.presentation.navigation.keys_script_url",
        "mobjects.presentation.navigation.reach_script_url",
    ],
    "STYLES": [
        "mobjects.presentation.navigation.frame_styles_url",
        "mobjects.presentation.navigation.form_styles_url",
        "mobjects.presentation.navigation.keys_styles_url",
    ],
    "ACCOUNT": {
        "navigation": [
            {"title": _("Language and time zone"), "link": reverse_lazy("mobjects:time-zone")},
            {"title": _("Your sign-in"), "link": reverse_lazy("mobjects:sign-in")},
        ]
    },
    "SIDEBAR": {
        "navigation": "mobjects.presentation.navigation.render_navigation",
        "show_search": True,
        "command_search": True,
    },
}

# --- Marketo -----------------------------------------------------------------------------------------------------

_TRANSPORT = env.text("MARKETO_TRANSPORT", DEFAULT)
_ENTRY = TRANSPORTS.get(_TRANSPORT, TRANSPORTS[DEFAULT])
MARKETO: dict[str, Any] = {
    "TRANSPORT": _TRANSPORT,
    # What each transport reads, whichever is used.
    **{
        setting.name: (env.secret if setting.secret else env.text)(setting.variables[0])
        for entry in TRANSPORTS.values()
        for setting in entry.settings
    },
    "OPPORTUNITY_KEY_FIELD": env.text("MARKETO_OPPORTUNITY_KEY_FIELD"),
    "PERSON_KEY_FIELD": env.text("MARKETO_PERSON_KEY_FIELD"),
    "COMPANY_KEY_FIELD": env.text("MARKETO_COMPANY_KEY_FIELD"),
    "TIMEOUT_SECONDS": env.number("MARKETO_TIMEOUT_SECONDS", default=60, minimum=1, maximum=600),
    # Marketo allows 100 calls in 20 seconds and 10 at once, to all its callers together: by default half is ours.
    "CALLS_PER_WINDOW": env.number("MARKETO_CALLS_PER_WINDOW", default=50, minimum=1, maximum=100),
    "CALLS_AT_ONCE": env.number("MARKETO_CALLS_AT_ONCE", default=5, minimum=1, maximum=10),
    "DAILY_QUOTA": env.number("MARKETO_DAILY_QUOTA", default=_ENTRY.traits.calls_a_day, minimum=1, maximum=10**8),
    "DAILY_SHARE": env.number("MARKETO_DAILY_SHARE", default=50, minimum=1, maximum=100),
    "TRIES": env.number("MARKETO_TRIES", default=5, minimum=1, maximum=20),
    "LOOK_UP_SECONDS": env.number("MARKETO_LOOK_UP_SECONDS", default=_ENTRY.look_up_seconds, minimum=0, maximum=3600),
}
