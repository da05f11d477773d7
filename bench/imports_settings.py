"""Settings of the web server that is measured: as in production, but static files need not be collected before."""

from __future__ import annotations

from marketo_admin.settings import *  # noqa: F403
from marketo_admin.settings import STORAGES

STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
