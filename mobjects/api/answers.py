"""What the addresses share: the answers that each may give, and the right that each takes."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import ADDITION, LogEntry
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext as _

from mobjects.api.problems import Problem, ProblemOut

ALWAYS = (400, 401, 403, 422, 429, 503)
"""What any address may answer: damaged, no token, no right, another form than described, too often, no database."""


def describe_answers(good: Any, *further: int, status: int = 200) -> dict[Any, Any]:
    """The answers of an address, for its description.

    Args:
        good: the form of what it gives.
        further: statuses of problems beside those of :data:`ALWAYS`.
        status: of the good one.
    """
    return {status: good, frozenset((*ALWAYS, *further)): ProblemOut}


def require_right(request: HttpRequest, permission: str) -> None:
    """Go on only with a right. Raises Problem without it, naming it."""
    if not request.user.has_perm(permission):
        said = _("The token may not do this: it lacks the right “%(permission)s”, or its person does.")
        raise Problem(403, said % {"permission": permission})


def log_in_admin(request: HttpRequest, row: Model, action: int, changed: list[str]) -> None:
    """Write down in the admin's own log that something was added or changed, as its forms do.

    Args:
        action: ``ADDITION`` or ``CHANGE``, of the log.
        changed: names of what was changed.
    """
    message = [{"added": {}} if action == ADDITION else {"changed": {"fields": changed}}]
    entries: Any = LogEntry.objects
    entries.log_actions(request.user.pk, [row], action, change_message=message, single_object=True)
