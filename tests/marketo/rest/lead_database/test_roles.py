"""Sending roles: their key has three parts, of which none can be changed."""

from __future__ import annotations

import pytest

from mobjects.marketo.errors import MarketoError, OutcomeUnknown
from mobjects.marketo.types import (
    ExternalKey,
    Kind,
    LinkTarget,
    Operation,
    OutcomeStatus,
    OutgoingBatch,
    OutgoingRecord,
    RecordAssociation,
)
from mobjects.sandbox.state import StoredParty
from tests.marketo.rest.lead_database.conftest import KEY, calls_of, deal, role, to_deal, to_person, writes_of

UPDATE, UPSERT = Operation.UPDATE, Operation.UPSERT
CREATED, UPDATED, SKIPPED, FAILED = (
    OutcomeStatus.CREATED,
    OutcomeStatus.UPDATED,
    OutcomeStatus.SKIPPED,
    OutcomeStatus.FAILED,
)
WRITE = "POST /rest/v1/opportunities/roles.json"
DELETE = "POST /rest/v1/opportunities/roles/delete.json"


@pytest.fixture(autouse=True)
def opportunity(marketo):
    """The opportunity of all these roles."""
    marketo.send(OutgoingBatch(UPSERT, [deal("K-1")]))


def send(marketo, *records, operation=UPSERT):
    return marketo.send(OutgoingBatch(operation, records))


def statuses(answer):
    return [outcome.status for outcome in answer.outcomes]


def made(marketo, *records):
    """The GUIDs of new roles."""
    answer = send(marketo, *records)
    assert set(statuses(answer)) == {CREATED}
    return [outcome.marketo_id for outcome in answer.outcomes]


def names(sandbox):
    return sorted(each.values["Role"] for each in sandbox.store.roles.values())


def test_a_new_role_goes_by_its_three_parts(marketo):
    (body,) = writes_of(send(marketo, role("Buyer", person=2, IsPrimary=True)).exchange)
    assert (body["action"], body["dedupeBy"]) == ("createOrUpdate", "dedupeFields")
    assert body["input"] == [{KEY: "K-1", "leadId": 2, "role": "Buyer", "isPrimary": True}]


def test_a_known_role_goes_by_guid_alone_and_nobody_is_looked_up(marketo):
    (guid,) = made(marketo, role("Buyer", person="P-0002"))
    answer = send(marketo, role("", person="P-0002", id=guid, IsPrimary=True), operation=UPDATE)
    assert statuses(answer) == [UPDATED]
    ((line, body),) = calls_of(answer.exchange)
    assert (line, body["input"]) == (WRITE, [{"marketoGUID": guid, "isPrimary": True}])


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (role(""), "and this one has no role name"),
        (role(Role=" "), "that cannot be cleared; give it one"),
        (role(key=""), "this opportunity has none"),
        (OutgoingRecord(Kind.ROLE, values={"Role": "x"}, associations=[to_deal("K-1")]), "and its person"),
        (
            OutgoingRecord(
                Kind.ROLE,
                values={"Role": "x"},
                associations=[RecordAssociation(LinkTarget.OPPORTUNITY, id=7), to_person(1)],
            ),
            "by external ID, and this opportunity has none",
        ),
        (
            OutgoingRecord(
                Kind.ROLE,
                values={"Role": "x"},
                associations=[RecordAssociation(LinkTarget.OPPORTUNITY, key=ExternalKey("Other", "1")), to_person(1)],
            ),
            "finds opportunities by externalOpportunityId, not by “Other”",
        ),
        (role(person=2**31), "Lead ID 2147483648 is not between 1 and"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_what_its_key_lacks_is_said_in_words(marketo, record, words):
    assert words in marketo.problem(record, UPSERT)


# --- persons by key -----------------------------------------------------------------------------


def test_all_persons_of_a_batch_are_looked_up_in_one_call(marketo, sandbox):
    answer = send(marketo, *[role("Buyer", person=f"P-{number:04}") for number in (1, 2, 3, 2)])
    assert [line for line, _ in calls_of(answer.exchange)].count("GET /rest/v1/leads.json") == 1
    assert sorted(each.values["PersonId"] for each in sandbox.store.roles.values()) == ["1", "2", "3"]


def test_a_key_that_several_persons_have_is_an_error_for_its_record(marketo, sandbox):
    for number in (9001, 9002):
        sandbox.store.add_party("Lead", StoredParty(number, "", {"ExternalPersonId": "P-twice"}))
    answer = send(marketo, role("Buyer", person="P-twice"), role("Buyer", person=1))
    assert statuses(answer) == [FAILED, CREATED]
    assert "2 persons have externalPersonId “P-twice”; give the person's ID instead" in answer.outcomes[0].message


@pytest.mark.parametrize(
    ("person", "words"),
    [
        (to_person("P-nobody"), "Marketo has no person with externalPersonId “P-nobody”"),
        (to_person("P,1"), "a comma separates values"),
        (to_person("P-0001", "NoSuchField"), "persons cannot be looked up by “noSuchField”"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_a_person_that_cannot_be_found_fails_its_record_alone(marketo, person, words):
    answer = send(marketo, role("Buyer", person=person), role("Buyer", person=1))
    assert statuses(answer) == [FAILED, CREATED]
    assert words in answer.outcomes[0].message


# --- a changed key ------------------------------------------------------------------------------


def test_a_replaced_role_is_deleted_and_made_anew_and_both_calls_are_kept(marketo, sandbox):
    (guid,) = made(marketo, role("Buyer"))
    answer = send(marketo, role("User", id=guid, replaced=True, IsPrimary=True), operation=UPDATE)
    assert [line for line, _ in calls_of(answer.exchange)] == [DELETE, WRITE]
    (outcome,) = answer.outcomes
    assert (outcome.status, outcome.marketo_id != guid) == (CREATED, True)
    assert "the old one was deleted" in outcome.message
    assert names(sandbox) == ["User"]


def test_a_preview_says_that_a_replaced_role_is_deleted(marketo, sandbox):
    before = len(sandbox.calls)
    shown = marketo.render(OutgoingBatch(UPDATE, [role("User", person="P-0002", id="a-guid", replaced=True)]))
    assert DELETE in shown
    assert "(the id of the person whose ExternalPersonId is P-0002)" in shown
    assert shown.index(DELETE) < shown.index(WRITE)
    assert len(sandbox.calls) == before


def test_what_cannot_be_made_anew_is_not_deleted(marketo, sandbox):
    (guid,) = made(marketo, role("Buyer"))
    answer = send(marketo, role("User", id=guid, replaced=True, person="P-nobody"), operation=UPDATE)
    assert statuses(answer) == [FAILED]
    assert names(sandbox) == ["Buyer"]


def test_what_cannot_be_deleted_is_not_made_a_second_time(marketo, sandbox):
    (guid,) = made(marketo, role("Buyer"))
    sandbox.faults.add("bad_row", path=DELETE, row=0, code="1022", text="Object in use")
    answer = send(marketo, role("User", id=guid, replaced=True), operation=UPDATE)
    assert statuses(answer) == [FAILED]
    assert "1022" in answer.outcomes[0].message
    assert names(sandbox) == ["Buyer"]


@pytest.mark.parametrize("path", [DELETE, WRITE])
@pytest.mark.parametrize(
    "fault",
    [{"kind": "cut_before"}, {"kind": "cut_after"}, {"kind": "error", "code": "604", "applied": True}],
    ids=str,
)
def test_a_replacement_that_was_cut_off_anywhere_is_gone_on_with(marketo, sandbox, path, fault):
    (guid,) = made(marketo, role("Buyer"))
    record = role("User", id=guid, replaced=True)
    sandbox.faults.add(**fault, path=path)
    with pytest.raises(MarketoError) as caught:
        send(marketo, record, operation=UPDATE)
    assert type(caught.value) is OutcomeUnknown
    assert statuses(send(marketo, record, operation=UPDATE)) in ([CREATED], [UPDATED])
    assert names(sandbox) == ["User"]


def test_a_limit_between_the_two_calls_of_a_replacement_leaves_the_batch_unknown(marketo, sandbox):
    (guid,) = made(marketo, role("Buyer"))
    sandbox.faults.add("error", path=WRITE, code="606")
    with pytest.raises(OutcomeUnknown):
        send(marketo, role("User", id=guid, replaced=True), operation=UPDATE)


def test_another_role_name_without_replacing_is_refused_in_words(marketo, sandbox):
    (guid,) = made(marketo, role("Buyer"))
    answer = send(marketo, role("User", id=guid), operation=UPDATE)
    assert statuses(answer) == [FAILED]
    assert "role is “User”, Marketo holds “Buyer” and does not let it be changed" in answer.outcomes[0].message
    assert names(sandbox) == ["Buyer"]


def test_an_update_of_a_role_that_nobody_has_is_skipped(marketo):
    answer = send(marketo, role("Buyer"), operation=UPDATE)
    assert statuses(answer) == [SKIPPED]


def test_a_role_of_an_opportunity_that_marketo_lacks_fails_with_code_and_text(marketo):
    (outcome,) = send(marketo, role("Buyer", key="K-none")).outcomes
    assert outcome.status is FAILED
    assert outcome.message == "Marketo knows no such record; correct its key. (Marketo: 1013 - Object not found)"
