"""What jobs and imports have in common: a table of the changes of state that are allowed, and one way to make them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import transaction
from django.db.models import Q
from django.dispatch import Signal

from mobjects.models import Approval, BulkDeletion, BulkEdit, ConflictDecision, Import, SyncJob

Work = TypeVar("Work", SyncJob, Import, BulkDeletion, BulkEdit, ConflictDecision, Approval)


class ForbiddenChange(Exception):
    """The table has no such change of state: a fault of ours."""


@dataclass(frozen=True)
class StateMachine(Generic[Work]):
    """The only writer of a state.

    Args:
        model: has the field ``state``.
        allowed: by state, those that may follow it. What is not there is final.
        at_rest: whether it has ended, or only a person lets it go on.
        came_to_rest: is sent once each time it does so, in the transaction of the change: ``work``, ``old``, ``new``.
            A receiver that raises undoes the change.
    """

    model: type[Work]
    allowed: Mapping[str, Collection[str]]
    at_rest: Callable[[Work], bool]
    came_to_rest: Signal

    def change(
        self, work: Work, to: str, *, only_from: Collection[str] | None = None, where: Q | None = None, **values: Any
    ) -> bool:
        """Change the state, if the table allows that from the state in the database. ``work`` is read anew.

        Args:
            only_from: the states that the caller thinks of; all from which the table leads there if it names none.
            where: what else has to be true of the row.
            values: of other fields, set with the state.

        Returns:
            Whether it was changed. Of two that ask at the same moment one gets ``False``.

        Raises:
            ForbiddenChange: no state, or not each of ``only_from``, may be followed by this one.
        """
        sources = {old for old, following in self.allowed.items() if to in following}
        if not sources or not sources.issuperset(only_from or ()):
            raise ForbiddenChange(f"{self.model.__name__}: {sorted(only_from or ())} → {to}")
        with transaction.atomic():
            before = self.model._default_manager.select_for_update().get(pk=work.pk)
            this = self.model._default_manager.filter(where or Q(), pk=work.pk, state__in=only_from or sources)
            changed = bool(this.update(state=to, **values))
            work.refresh_from_db()
            if changed and self.at_rest(work) and (before.state != to or not self.at_rest(before)):
                self.came_to_rest.send(self.model, work=work, old=before.state, new=to)
        return changed
