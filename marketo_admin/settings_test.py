"""Settings of the test suite: of the machine's configuration only DATABASE_URL and REDIS_URL count."""

from __future__ import annotations

import os

_OURS = ("DJANGO_", "MARKETO_", "IMPORT_", "INSTALLATION_", "ACCOUNTS_", "METRICS_", "LOG_")
for _name in [name for name in os.environ if name.startswith(_OURS)]:
    if _name not in ("DJANGO_SETTINGS_MODULE", "DJANGO_ALLOW_ASYNC_UNSAFE"):
        del os.environ[_name]
os.environ["DJANGO_ENV_FILE"] = os.devnull
os.environ["DJANGO_SECRET_KEY"] = "only-for-tests-" + "x" * 50
os.environ["DJANGO_HTTPS"] = "false"

from marketo_admin.settings import *  # noqa: E402, F403
from marketo_admin.settings import DATABASES, LOGGING, MARKETO, MIDDLEWARE  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # PBKDF2 costs 0.25 s a user.
MIDDLEWARE = [name for name in MIDDLEWARE if "whitenoise" not in name]  # The live server serves static files itself.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
INSTALLATION_FILE = ""
if DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    DATABASES["default"]["ENGINE"] = "tests.support.postgresql"
LOGGING = {**LOGGING, "handlers": {"console": {"class": "logging.NullHandler"}}}
# Port 9 of this machine: nothing answers there. The fixture marketo_settings points it at a sandbox.
# Most tests speak SOAP, which has every kind of answer; those of REST say so.
MARKETO = {
    **MARKETO,
    "TRANSPORT": "soap",
    "LOOK_UP_SECONDS": 180,
    "DAILY_QUOTA": 10_000,
    "SOAP_ENDPOINT": "http://127.0.0.1:9/soap/mktows/2_7",
    "USER_ID": "test_user",
    "ENCRYPTION_KEY": "test-encryption-key",
    "TIMEOUT_SECONDS": 5,
    "CALLS_PER_WINDOW": 100,
    "CALLS_AT_ONCE": 10,
}
