"""What a batch of opportunities or roles would send, without a call."""

from __future__ import annotations

import json
from collections.abc import Sequence

from mobjects.marketo.attributes import STANDARD
from mobjects.marketo.rest.lead_database import paths
from mobjects.marketo.rest.lead_database.field_catalogue import FieldCatalogue, InstanceField, ObjectFields
from mobjects.marketo.rest.lead_database.json_values import JsonValue
from mobjects.marketo.rest.lead_database.key_check import Numbered
from mobjects.marketo.rest.lead_database.record_inputs import InputBuilder, call_body, group_calls
from mobjects.marketo.rest.request import encode_json
from mobjects.marketo.types import Kind, Operation, OutgoingRecord, RecordAssociation


def render_records(catalogue: FieldCatalogue, kind: Kind, operation: Operation, records: Sequence[Numbered]) -> str:
    """The calls that would be made, as the history will show them.

    The fields are those that are known without a call, or what REST calls them as a rule. What would be looked up
    stands there in words.
    """
    fields = catalogue.known_fields(kind) or _ruled_fields(kind, [record for _, record in records])
    builder = InputBuilder(fields, operation, _party_words)
    inputs, refused, deleted = [], [], []
    for position, record in records:
        try:
            inputs.append(builder.build_input(position, record))
        except ValueError as error:
            refused.append(f"(record {position + 1} would not be sent: {error})")
            continue
        if record.replaced and record.marketo_id is not None:
            deleted.append({paths.GUID: record.marketo_id})
    calls = [_call_text(paths.delete_path(kind), {"deleteBy": "idField", "input": deleted})] if deleted else []
    calls += [_call_text(paths.sync_path(kind), call_body(group)) for group in group_calls(inputs)]
    return "\n\n".join([*calls, *refused])


def _call_text(path: str, body: object) -> str:
    shown = json.dumps(json.loads(encode_json(body)), ensure_ascii=False, indent=2)
    return f"POST {path}\nAuthorization: Bearer ***\n\n{shown}"


def _party_words(link: RecordAssociation) -> JsonValue:
    if link.key and link.key.field.casefold() == paths.COMPANY_KEY.casefold():
        return link.key.value
    if link.key:
        return f"(the id of the person whose {link.key.field} is {link.key.value})"
    return link.id if link.link.value == "Lead" else f"(the {paths.COMPANY_KEY} of company {link.id})"


def _ruled_fields(kind: Kind, records: Sequence[OutgoingRecord]) -> ObjectFields:
    types = {attribute.name: attribute.type.value for attribute in STANDARD[kind]}
    names = dict.fromkeys(name for record in records for name in record.values)
    fields = [
        InstanceField(name[:1].lower() + name[1:], name, name, types.get(name, ""), None, updateable=True)
        for name in names
    ]
    return ObjectFields(kind, fields, ())
