"""How much an import reads, as the settings say."""

from __future__ import annotations

import sys

from django.conf import settings

from mobjects.models import ImportSource
from mobjects.spreadsheets.types import FileLimits

MB = 1_000_000


def limits_for(source: str) -> FileLimits:
    """The most that is read of a file from somewhere.

    Args:
        source: a value of ``ImportSource``. Who has the command line has the machine: any size is read there.
    """
    return FileLimits(
        size=sys.maxsize if source == ImportSource.COMMAND else settings.IMPORT_MAX_MB * MB,
        columns=settings.IMPORT_MAX_COLUMNS,
        cell=settings.IMPORT_MAX_CELL_CHARACTERS,
        unpacked=settings.IMPORT_MAX_UNPACKED_MB * MB,
    )
