"""Sending opportunities and roles: what has to be known first, then as few calls as the batch needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mobjects.marketo.errors import MarketoError
from mobjects.marketo.rest.calls import RestCalls
from mobjects.marketo.rest.lead_database import paths
from mobjects.marketo.rest.lead_database.batch_progress import BatchProgress
from mobjects.marketo.rest.lead_database.field_catalogue import FieldCatalogue
from mobjects.marketo.rest.lead_database.json_values import JsonValue
from mobjects.marketo.rest.lead_database.key_check import Numbered, refuse_changed_keys
from mobjects.marketo.rest.lead_database.party_lookup import PartyLookup
from mobjects.marketo.rest.lead_database.record_inputs import (
    InputBuilder,
    PartyName,
    RecordInput,
    call_body,
    find_link,
    goes_by_guid,
    group_calls,
)
from mobjects.marketo.rest.lead_database.record_outcomes import (
    FIELD_GONE,
    RowAnswer,
    read_delete_reply,
    read_sync_reply,
)
from mobjects.marketo.rest.replies import RestReply
from mobjects.marketo.rest.request import RequestTooLarge
from mobjects.marketo.types import (
    BatchResponse,
    ExternalKey,
    Kind,
    LinkTarget,
    Operation,
    OutcomeStatus,
    RecordAssociation,
    RecordOutcome,
)
from mobjects.marking import gettext_noop as _

_REPLACED = _("Its key was changed, so the old one was deleted and a new one made.")


class RecordSender:
    """Sends and deletes opportunities and roles.

    Args:
        calls: to the instance.
        catalogue: its fields.
        parties: its persons and companies.
    """

    def __init__(self, calls: RestCalls, catalogue: FieldCatalogue, parties: PartyLookup) -> None:
        self._calls, self._catalogue, self._parties = calls, catalogue, parties

    def send_records(
        self, kind: Kind, operation: Operation, records: Sequence[Numbered], progress: BatchProgress
    ) -> None:
        """Send records of one kind; each has its outcome afterwards.

        Raises:
            MarketoError: a call failed; :meth:`BatchProgress.failure` says what that means for the batch.
        """
        fields = self._catalogue.fields_of(kind, progress.exchanges)
        party_name = self._find_parties(kind, operation, records, progress)
        checked = refuse_changed_keys(self._calls, kind, operation, records, progress)
        builder = InputBuilder(fields, operation, party_name)
        replaced = {}
        inputs = []
        for position, record in checked:
            try:
                built = builder.build_input(position, record)
            except ValueError as error:
                progress.refuse_record(position, str(error))
                continue
            if record.replaced and record.marketo_id is not None:
                replaced[position] = str(record.marketo_id)
            if set(built.body) == {paths.GUID}:
                progress.set_outcome(position, RecordOutcome(OutcomeStatus.UNCHANGED, built.guid))
            else:
                inputs.append(built)
        kept = self._delete_replaced(kind, replaced, progress)
        for group in group_calls(each for each in inputs if each.position not in replaced or each.position in kept):
            self._write(kind, group, progress, kept)

    def delete_records(self, kind: Kind, ids: Sequence[str]) -> BatchResponse:
        """Delete objects by their GUIDs. The roles of an opportunity stay.

        Raises:
            MarketoError: the call failed.
        """
        progress = BatchProgress(len(ids))
        distinct = list(dict.fromkeys(ids))
        try:
            answers = dict(zip(distinct, self._delete(kind, distinct, progress), strict=True))
        except MarketoError as error:
            raise progress.failure(error) from error.__cause__
        for position, guid in enumerate(ids):
            progress.set_outcome(position, answers[guid].outcome)
        return progress.response()

    def _find_parties(
        self, kind: Kind, operation: Operation, records: Sequence[Numbered], progress: BatchProgress
    ) -> PartyName:
        wanted = LinkTarget.LEAD if kind is Kind.ROLE else LinkTarget.COMPANY
        links = [
            link
            for _position, record in records
            if (link := find_link(record, wanted)) and not (kind is Kind.ROLE and goes_by_guid(record, operation))
        ]
        if kind is Kind.ROLE:
            persons = self._parties.person_ids([link.key for link in links if link.key], progress.exchanges)
            return lambda link: _person_id(link, persons)
        companies = self._parties.company_keys([link.id for link in links if link.id is not None], progress.exchanges)
        return lambda link: _company_key(link, companies)

    def _delete_replaced(self, kind: Kind, guids: Mapping[int, str], progress: BatchProgress) -> set[int]:
        """Delete what will be made anew. Gives the positions of those that are gone; the others get their outcome."""
        if not guids:
            return set()
        distinct = list(dict.fromkeys(guids.values()))
        answers = dict(zip(distinct, self._delete(kind, distinct, progress), strict=True))
        gone = set()
        for position, guid in guids.items():
            outcome = answers[guid].outcome
            if outcome.status is OutcomeStatus.FAILED:
                progress.set_outcome(position, outcome)
            else:
                gone.add(position)
        return gone

    def _delete(self, kind: Kind, guids: Sequence[str], progress: BatchProgress) -> list[RowAnswer]:
        body = {"deleteBy": "idField", "input": [{paths.GUID: guid} for guid in guids]}
        reply = self._calls.write_json(paths.delete_path(kind), body)
        answers = read_delete_reply(reply, guids)
        progress.exchanges.append(reply.exchange)
        progress.changed = progress.changed or any(answer.outcome.status is OutcomeStatus.DELETED for answer in answers)
        return answers

    def _write(self, kind: Kind, inputs: list[RecordInput], progress: BatchProgress, replaced: set[int]) -> None:
        """Make one call, or several where it would be larger than Marketo takes."""
        try:
            reply = self._calls.write_json(paths.sync_path(kind), call_body(inputs))
        except RequestTooLarge as error:
            if error.exchange is not None:
                progress.exchanges.append(error.exchange)
            if len(inputs) == 1:
                progress.refuse_record(inputs[0].position, error.message)
                return
            middle = len(inputs) // 2
            self._write(kind, inputs[:middle], progress, replaced)
            self._write(kind, inputs[middle:], progress, replaced)
            return
        self._read_reply(kind, inputs, reply, progress, replaced)

    def _read_reply(
        self, kind: Kind, inputs: list[RecordInput], reply: RestReply, progress: BatchProgress, replaced: set[int]
    ) -> None:
        answers = read_sync_reply(reply, inputs[0].action, [each.guid for each in inputs])
        progress.exchanges.append(reply.exchange)
        for each, answer in zip(inputs, answers, strict=True):
            outcome = answer.outcome
            if each.position in replaced and outcome.marketo_id is not None:
                outcome = RecordOutcome(outcome.status, outcome.marketo_id, _REPLACED)
            progress.set_outcome(each.position, outcome)
            if FIELD_GONE in answer.codes:
                self._catalogue.forget_fields(kind)


def _person_id(link: RecordAssociation, persons: Mapping[ExternalKey, int | str]) -> JsonValue:
    found = persons[link.key] if link.key else link.id
    if isinstance(found, str):
        raise ValueError(found)
    return found


def _company_key(link: RecordAssociation, companies: Mapping[int, str]) -> JsonValue:
    if link.key:
        return link.key.value
    key = companies.get(link.id or 0)
    if key is None:
        raise ValueError(
            _("Marketo has no company %(id)s, or that has no %(company_key)s, by which REST names it")
            % {"id": link.id, "company_key": paths.COMPANY_KEY}
        )
    return key
