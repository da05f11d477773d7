#!/usr/bin/env python
"""Django's command line for this project."""

from __future__ import annotations

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

UNCONFIGURED = ("demo", "sandbox")
"""Commands that have to start where nothing is configured."""


def main() -> None:
    """Run the command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketo_admin.settings")
    if len(sys.argv) > 1 and sys.argv[1] in UNCONFIGURED:
        # They bring their own settings, and must not see the database or the Marketo of a real installation
        # in the same checkout.
        os.environ.update(DJANGO_ENV_FILE=os.devnull, DJANGO_DEBUG="true")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # 2, "could not run": 1 is what sync_mobjects says of records that were not accepted.
        sys.stderr.write(f"{error}\ndocs/settings.md describes all settings; .env.example is a start.\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
