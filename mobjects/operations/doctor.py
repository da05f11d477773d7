"""Looks at a whole installation and says in words what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from django.db import Error

from mobjects.operations import deployment_checks, service_checks
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
    yield from _where_the_database_answers("database", service_checks.find_database_problems)
    yield from service_checks.find_redis_problems()
    yield from _where_the_database_answers("processes", service_checks.find_process_problems)
    yield from _where_the_database_answers("Marketo", partial(service_checks.find_marketo_problems, connect=connect))


def _where_the_database_answers(name: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """What a look finds; where the database does not answer, or has no tables, that it could not be looked at."""
    try:
        yield from look()
    except Error as error:
        yield found_skipped(name, f"Nobody could look: the database does not answer ({type(error).__name__}).")
