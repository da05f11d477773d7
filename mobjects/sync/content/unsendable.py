"""Which records hold what Marketo cannot be sent of them, as conditions in SQL: known before anything is sent.

The same as :func:`mobjects.sync.content.payload.build_payload` finds record by record, which says exactly what it is.
"""

from __future__ import annotations

from django.db.models import Exists, F, OuterRef, Q, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Concat, Floor, RTrim, Substr
from django.db.models.lookups import Exact, In
from django.utils.translation import gettext_noop as _

from mobjects.db.json_text import CentsText, JsonKeyText
from mobjects.marketo.types import Kind, Operation
from mobjects.models import ProgramCost
from mobjects.models.program import COST_PREFIX
from mobjects.sync.content.former_names import UNKNOWN_VALUE
from mobjects.sync.content.payload import KeyFields

KEY_CHANGED = _("its external ID was changed here, and Marketo cannot change it; put it back, or delete it in Marketo")
COST_DECIMALS = _("one of its costs has decimals, and Marketo takes whole amounts only over this API; round it")

HAS_DECIMALS = Q(amount__gt=Floor("amount"))
"""The condition on a cost that its amount is not whole."""

_YEAR_AND_MONTH = 7
"""So long is "2026-06"."""


def has_fixed_key_changed(keys: KeyFields) -> Q:
    """Opportunities, with their ``wire_operation``, to be updated under another key than Marketo accepted; none where
    Marketo changes keys.
    """
    if not keys.traits.needs_opportunity_key:
        return Q(pk__in=[])
    empty = Value("", output_field=TextField())
    names = [keys.opportunity, *keys.same]
    kept = [KeyTextTransform(name, "accepted") for name in names]
    accepted = Coalesce(*kept, empty, output_field=TextField())
    now = Coalesce(Cast("external_id", TextField()), empty)
    known = Q(**{f"{keys.id_column(Kind.OPPORTUNITY)}__isnull": False}, wire_operation=Operation.UPDATE.value)
    changed = known & ~Q(accepted={}) & ~Q(In(accepted, [now, Value(UNKNOWN_VALUE)]))
    if keys.others:
        # Accepted under another field; what stands in this one is not known.
        changed &= Q(accepted__has_any_keys=names) | ~Q(accepted__has_any_keys=keys.others)
    return changed


def has_cost_decimals(keys: KeyFields) -> Q:
    """Programs with a cost to be sent whose amount is not whole; none where Marketo takes decimals.

    A cost that Marketo has accepted as it is, over another API, is not sent again.
    """
    if not keys.traits.whole_costs:
        return Q(pk__in=[])
    name = Concat(Value(COST_PREFIX), Cast("pk", TextField()), output_field=TextField())
    accepted = Coalesce(JsonKeyText(OuterRef("accepted"), name), Value(""), output_field=TextField())
    month = Substr(Cast("month", TextField()), 1, _YEAR_AND_MONTH)
    text = Concat(month, Value(" "), CentsText(F("amount")), Value(" "), F("note"), output_field=TextField())
    costs = ProgramCost.objects.filter(HAS_DECIMALS, program=OuterRef("pk"))
    return Q(Exists(costs.exclude(Exact(accepted, RTrim(text)))))
