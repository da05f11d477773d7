"""Records whose key in Marketo was changed here, as conditions in SQL: what was sent stands under its old key."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import and_
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Concat
from django.db.models.lookups import Exact

from mobjects.marketo.types import Kind
from mobjects.models import SyncBatchState, SyncResult
from mobjects.sync.content.payload import OPPORTUNITY, OUR_NUMBER_PREFIX, PERSON_ID, PERSON_KEY, ROLE_KEY, KeyFields


def has_changed_key(keys: KeyFields) -> Q:
    """The condition that a role is deleted in Marketo and made anew, because its key was changed here.

    The same as :func:`mobjects.sync.content.payload.is_replaced`.
    """
    if not keys.traits.role_is_key:
        return Q(pk__in=[])
    known = Q(**{f"{keys.id_column(Kind.ROLE)}__isnull": False})
    return known & ~Q(accepted={}) & ~_is_key_in("accepted", F)


def was_lost_under_other_key(kind: Kind, keys: KeyFields) -> Q:
    """The condition that a record was sent without an answer under a key that it does not have any more.

    Sent now, it would be there a second time, if the first sending arrived.
    """
    lost = SyncResult.objects.filter(kind=kind.value, record_id=OuterRef("pk"), batch__state=SyncBatchState.UNKNOWN)
    if kind is Kind.OPPORTUNITY and keys.opportunity:
        # Over another API the same field may have been called otherwise.
        empty = Value(None, output_field=TextField())
        names = (keys.opportunity, *keys.same)
        sent = lost.annotate(key_sent=Coalesce(*(KeyTextTransform(name, "sent") for name in names), empty))
        return Q(Exists(sent.exclude(key_sent=OuterRef("external_id")))) & Q(**{keys.id_column(kind): None})
    if kind is Kind.ROLE and keys.traits.role_is_key:
        # What was sent of a role that keeps its key may be without the role name.
        whole = lost.annotate(role_sent=KeyTextTransform("Role", "sent")).exclude(role_sent=None)
        return Q(Exists(whole.exclude(_is_key_in("sent", OuterRef))))
    return Q(pk__in=[])


def _is_key_in(column: str, of_role: Callable[[str], Any]) -> Q:
    """Whether values kept as JSON hold the key that a role has now.

    Args:
        column: of the values.
        of_role: names a column of the role: ``F``, or ``OuterRef`` where the values are in another table.
    """
    empty = Value("", output_field=TextField())
    now = {
        OPPORTUNITY: Concat(Value(OUR_NUMBER_PREFIX), Cast(of_role("opportunity_id"), TextField())),
        PERSON_ID: Coalesce(Cast(of_role("person_id"), TextField()), empty),
        PERSON_KEY: Cast(of_role("person_key"), TextField()),
        "Role": Cast(of_role("role"), TextField()),
    }
    kept = {name: Coalesce(KeyTextTransform(name, column), empty, output_field=TextField()) for name in ROLE_KEY}
    return reduce(and_, (Q(Exact(kept[name], now[name])) for name in ROLE_KEY))
