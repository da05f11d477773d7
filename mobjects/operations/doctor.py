"""Looks at a whole installation and says in words what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from django.db import Error

from mobjects.operations import deployment_checks, service_checks
from mobjects.operations.database_door import find_closed_door
from mobjects.operations.finding import Finding, found_skipped


def examine_site(*, connect: bool = False) -> Iterator[Finding]:
    """Each thing that was looked at, in the order in which it should be put right.

    Args:
        connect: whether to call Marketo, too.
    """
    yield from deployment_checks.find_setting_problems()
    yield from deployment_checks.find_address_problems()
    yield from deployment_checks.find_static_file_problems()
    yield from deployment_checks.find_folder_problems()
    closed = find_closed_door()
    if closed:
        yield closed
    else:
        yield from _where_tables_are_there("database", service_checks.find_database_problems)
        yield from _where_tables_are_there("accounts", service_checks.find_account_problems)
    yield from service_checks.find_redis_problems()
    if closed:
        # Asked again, it would be waited for again.
        yield found_skipped("accounts, processes, Marketo", "Nobody could look: the database does not let us in.")
    else:
        yield from _where_tables_are_there("processes", service_checks.find_process_problems)
        yield from _where_tables_are_there("Marketo", partial(service_checks.find_marketo_problems, connect=connect))


def _where_tables_are_there(name: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """What a look finds; where the database has no tables, or ends meanwhile, that it could not be looked at."""
    try:
        yield from look()
    except Error as error:
        said = f"Nobody could look: the database lacks tables, or answers no more ({type(error).__name__})."
        yield found_skipped(name, said)
