"""A record's standard attributes, as they are sent."""

from __future__ import annotations

from operator import attrgetter

from mobjects.marketo import attributes
from mobjects.marketo.types import AttributeValue, DataType
from mobjects.models import SyncedRecord

_STANDARD = {
    kind: (
        [attribute.name for attribute in known],
        [attribute.name for attribute in known if attribute.type is DataType.FLOAT],
        attrgetter(*(attribute.field_name for attribute in known)),
    )
    for kind, known in attributes.STANDARD.items()
    if known
}
"""Names of the standard attributes, of those with decimals, and what asks a record for all of them at once."""


def standard_values(record: SyncedRecord) -> dict[str, AttributeValue]:
    """What a record holds of its kind's standard attributes, by name; decimals without zeros at their end."""
    names, floats, get_all = _STANDARD[record.KIND]
    values = dict(zip(names, get_all(record), strict=True))
    for name in floats:
        if values[name] is not None:
            values[name] = values[name].normalize()
    return values
