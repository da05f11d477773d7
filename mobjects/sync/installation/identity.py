"""The identity of an installation: kept in its database, and part of the names of all that it keeps elsewhere."""

from __future__ import annotations

import secrets
from pathlib import Path

from django.db import IntegrityError, connection, transaction

from mobjects import clock
from mobjects.models import Installation

_PLACES = {
    # A database of another cluster, or one that was made anew, has other numbers, whatever host and port it answers on.
    "postgresql": (
        "SELECT system_identifier || ' ' || oid || ' ' || datname FROM pg_control_system(), pg_database "
        "WHERE datname = CURRENT_DATABASE()"
    ),
}


def get_installation() -> Installation:
    """This installation; it comes into being when it is asked for first."""
    found = Installation.objects.first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            return Installation.objects.create(identity=new_identity(), place=read_place(), seen_at=clock.now())
    except IntegrityError:  # Another process was faster.
        return Installation.objects.get()


def name_outside(name: str) -> str:
    """The name under which this installation keeps something outside its database."""
    return f"{name}-{get_installation().identity}"


def new_identity() -> str:
    """An identity that no installation has had."""
    return secrets.token_hex(8)


def read_place() -> str:
    """Where the database is now: the numbers of its cluster and its own, or the file; never a secret."""
    if connection.vendor == "sqlite":
        return str(Path(str(connection.settings_dict["NAME"])).resolve())[-255:]
    with connection.cursor() as cursor:
        cursor.execute("SELECT HAS_FUNCTION_PRIVILEGE('pg_control_system()', 'execute')")
        if not cursor.fetchone()[0]:
            return ""
        cursor.execute(_PLACES[connection.vendor])
        return str(cursor.fetchone()[0])[:255]
