"""Whether the database lets us in, within seconds; and if not, why, in words that hold no secret."""

from __future__ import annotations

import re

from django.db import Error, connection

from mobjects.operations.finding import Finding, found_bad

CONNECT_SECONDS = 5
"""libpq waits for minutes for a host that does not answer."""

_URL = "DATABASE_URL"
_FAULTS: tuple[tuple[str, str, str], ...] = (
    # PostgreSQL and its library say it in English where the server's language is that; else the kind of error is said.
    (
        "password authentication failed|no password supplied",
        "It refuses the user or the password.",
        f"Put the password into {_URL} as the server has it; signs such as @ or / in it are written %40, %2F.",
    ),
    (
        "pg_hba.conf",
        "It does not let this host, this user or this database in.",
        "Add a line to its pg_hba.conf, and see whether it wants TLS (?sslmode=require).",
    ),
    ('role "[^"]*" does not exist', "It has no such user.", f"Make the role that {_URL} names, or name another."),
    ('database "[^"]*" does not exist', "It has no such database.", f"createdb, or name another in {_URL}."),
    (
        "translate host name|not known|failed to resolve|No address associated",
        "No host of that name is found.",
        f"Put the host in {_URL} right, or look at DNS.",
    ),
    (
        "timeout expired|timed out",
        f"It does not answer within {CONNECT_SECONDS} s.",
        f"Look at host and port in {_URL}, at firewalls on the way, and whether the server hangs.",
    ),
    (
        "Connection refused|No such file or directory",
        "Nobody listens there.",
        f"Start the server, or put host and port in {_URL} right.",
    ),
    ("No route to host|unreachable", "No way leads to that host.", "Look at the network and its firewalls."),
    (
        "too many clients|connection slots|too many connections",
        "It has no connection left.",
        "Raise its max_connections, or put PgBouncer in front of it (docs/operations.md).",
    ),
    ("starting up|shutting down|recovery mode", "It is about to start or to stop.", "Wait; else look at its log."),
    ("SSL|certificate", "The encrypted connection fails.", f"Look at sslmode in {_URL} and at the certificates."),
    ("unable to open database file", "Its file cannot be opened.", f"Look at the folder in {_URL} and who may write."),
    ("not a database|malformed", "Its file is no SQLite database, or broken.", "Restore it (docs/operations.md)."),
    ("readonly|disk I/O", "Its file cannot be written.", "Look at the disk, and who may write in its folder."),
)


def find_closed_door() -> Finding | None:
    """Why the database cannot be used at all; ``None`` if it lets us in."""
    if connection.vendor == "postgresql":
        connection.settings_dict["OPTIONS"].setdefault("connect_timeout", CONNECT_SECONDS)
    try:
        connection.ensure_connection()
    except Error as error:
        return describe_closed_door(error)
    return None


def describe_closed_door(error: Error) -> Finding:
    """What an error of connecting means. Its own text may hold a password, so it is not repeated."""
    said = str(error)
    for pattern, words, advice in _FAULTS:
        if re.search(pattern, said, re.IGNORECASE):
            return found_bad("database", words, advice)
    advice = f"Look at {_URL}, and whether the server runs and lets this host in."
    return found_bad("database", f"It cannot be reached ({type(error).__name__}).", advice)
