"""The sync engine against the sandbox, over real HTTP."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from lxml import etree

from mobjects.jobs.requests import create_sync_job
from mobjects.models import (
    CustomField,
    Opportunity,
    OpportunityPersonRole,
    Program,
    ProgramCost,
    RecordState,
    SyncJobState,
    SyncResult,
    SyncResultStatus,
)
from mobjects.sync.send.selection import OperationChoice, SyncSelection
from mobjects.sync.send.task import SendTask
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings")]


def sent(call) -> list[dict[str, str]]:
    """The attributes of each object in a recorded request."""
    root = etree.fromstring(call.request.encode())
    return [
        {entry.findtext("name", ""): entry.findtext("value", "") for entry in found.findall("attribList/attrib")}
        for found in root.iter("mObject")
    ]


def syncs(sandbox) -> list:
    return [call for call in sandbox.calls if call.operation == "syncMObjects"]


def test_new_opportunity_gets_its_id_and_status(sandbox):
    record = factories.opportunity(amount="2000.00", probability=80, close_date=date(2026, 6, 30), is_won=False)
    job = factories.sync(record)
    record = factories.fresh(record)
    assert job.state == SyncJobState.SUCCEEDED
    assert (record.last_status, record.current_state, record.is_dirty) == ("CREATED", RecordState.SYNCED, False)
    stored = sandbox.store.opportunities[record.marketo_id].values
    assert stored["Name"] == "Q1 2014"
    assert stored["Amount"] == "2000.00"
    assert stored["CloseDate"] == "2026-06-30"
    assert stored["IsWon"] == "false"


def test_two_hundred_and_fifty_of_each_go_out_in_seven_batches_and_then_nothing(sandbox):
    opportunities = [factories.opportunity(name=f"Deal {number}") for number in range(250)]
    for number, opportunity in enumerate(opportunities, start=1):
        factories.role(opportunity, person_id=number)
    for number in range(40):
        program = factories.program(marketo_id=1001 + number)
        factories.cost(program)
        factories.tag(program)
    job = factories.sync()
    sizes = [(batch.kind, batch.size) for batch in job.batches.exclude(operation="GET")]
    assert sizes == [
        ("Program", 40),
        *[("Opportunity", size) for size in (100, 100, 50)],
        *[("OpportunityPersonRole", size) for size in (100, 100, 50)],
    ]
    assert job.counts == {"UPDATED": 40, "CREATED": 500}
    for model in (Program, Opportunity, OpportunityPersonRole):
        assert not model.objects.dirty().exists()
        assert not model.objects.filter(marketo_id=None).exists()
        assert not model.objects.filter(last_status="").exists()
    calls = len(sandbox.calls)
    assert factories.sync().counts == {}
    assert len(sandbox.calls) == calls

    Opportunity.objects.filter(name="Deal 7").update(amount="12.50")
    assert factories.sync().counts == {"UPDATED": 1}
    assert sent(syncs(sandbox)[-1]) == [{"Amount": "12.50"}]


@pytest.fixture
def five_records(sandbox):
    """In Marketo already: one to change, one to leave, one to break, one that Marketo has lost."""
    names = ("changed", "same", "bad", "lost")
    records = {name: factories.opportunity(name=name) for name in names}
    factories.sync()
    Opportunity.objects.filter(name="changed").update(stage="Won")
    Opportunity.objects.filter(name="bad").update(fiscal_quarter=2)
    del sandbox.store.opportunities[factories.fresh(records["lost"]).marketo_id]
    records["new"] = factories.opportunity(name="new")
    return records


def test_each_status_of_a_mixed_batch_lands_on_its_own_record(sandbox, five_records):
    position = sorted(record.pk for record in five_records.values()).index(five_records["bad"].pk)
    sandbox.faults.add("bad_row", row=position, text="FiscalQuarter: refused")
    job = factories.sync(*five_records.values(), operation=OperationChoice.UPSERT, resend=True)
    assert job.batches.count() == 1
    now = {name: factories.fresh(record) for name, record in five_records.items()}
    assert {name: record.last_status for name, record in now.items()} == {
        "changed": "UPDATED",
        "same": "UNCHANGED",
        "bad": "FAILED",
        "lost": "SKIPPED",
        "new": "CREATED",
    }
    assert now["bad"].last_error == "FiscalQuarter: refused"
    assert now["lost"].last_error
    assert {name for name, record in now.items() if record.is_dirty} == {"bad", "lost"}
    assert job.state == SyncJobState.PROBLEMS
    labels = dict(job.results.values_list("label", "status"))
    assert labels == {name: record.last_status for name, record in now.items()}


def test_an_edit_made_in_flight_stays_dirty(sandbox):
    record = factories.opportunity(amount="1.00")
    factories.sync(record)
    Opportunity.objects.update(amount="2.00")
    job = create_sync_job(SyncSelection(kinds=(record.KIND,)))
    claim = factories.claim_next(job, record.KIND)
    Opportunity.objects.update(amount="3.00")
    factories.answer(job, claim)
    record = factories.fresh(record)
    assert record.is_dirty
    assert record.accepted["Amount"] == "2.00"
    factories.sync(record)
    assert sandbox.store.opportunities[record.marketo_id].values["Amount"] == "3.00"


def test_a_record_in_another_live_batch_is_reported_not_sent(sandbox):
    record = factories.opportunity()
    other = create_sync_job(SyncSelection(kinds=(record.KIND,)))
    factories.claim_next(other, record.KIND)
    job = factories.sync(record)
    result = job.results.get()
    assert result.status == SyncResultStatus.HELD
    assert "another job" in result.error
    assert not syncs(sandbox)


def test_role_of_a_failed_opportunity_is_held_back(sandbox):
    opportunity = factories.opportunity()
    role = factories.role(opportunity)
    sandbox.faults.add("bad_row", row=0, text="no")
    job = factories.sync()
    assert job.counts == {"FAILED": 1, "HELD": 1}
    held = job.results.get(status="HELD")
    assert held.record_id == role.pk
    assert "no Marketo ID yet" in held.error
    assert factories.fresh(role).is_dirty


def test_cleared_field_is_sent_empty(sandbox):
    record = factories.opportunity(stage="Won", amount="5.00")
    factories.sync(record)
    Opportunity.objects.update(stage="", amount=None)
    factories.sync()
    assert sent(syncs(sandbox)[-1]) == [{"Amount": "", "Stage": ""}]
    record = factories.fresh(record)
    assert "Stage" not in sandbox.store.opportunities[record.marketo_id].values
    assert record.accepted == {"Name": "Q1 2014"}


def test_an_accepted_cost_is_not_sent_again(sandbox):
    program = factories.program()
    before = len(sandbox.store.programs[1001].costs)
    factories.cost(program)
    factories.sync()
    factories.cost(program, month=date(2026, 7, 1))
    factories.sync()
    factories.sync(program, resend=True)
    assert len(sandbox.store.programs[1001].costs) == before + 2


def test_an_edited_cost_without_a_cost_id_is_held_back(sandbox):
    program = factories.program()
    factories.cost(program)
    factories.sync()
    ProgramCost.objects.update(marketo_cost_id=None)
    ProgramCost.objects.update(amount="1.00")
    job = factories.sync()
    assert job.counts == {"HELD": 1}
    assert "cost ID" in job.results.get(status="HELD").error
    assert factories.fresh(program).is_dirty


def test_the_cost_ids_are_known_after_a_sync(sandbox):
    program = factories.program()
    cost = factories.cost(program)
    factories.sync()
    cost.refresh_from_db()
    assert sandbox.store.programs[1001].costs[cost.marketo_cost_id].amount == "2000.00"
    ProgramCost.objects.update(amount="1.00")
    assert factories.sync().counts == {"UPDATED": 1}
    assert sandbox.store.programs[1001].costs[cost.marketo_cost_id].amount == "1.00"


def test_an_edited_cost_with_its_id_changes_that_cost(sandbox):
    stored = next(program for program in sandbox.store.programs.values() if program.costs)
    known = next(iter(stored.costs))
    program = factories.program(marketo_id=stored.id)
    factories.cost(program, marketo_cost_id=known, month=date(2026, 6, 1), amount="77.00")
    assert factories.sync().counts == {"UPDATED": 1}
    assert sandbox.store.programs[stored.id].costs[known].amount == "77.00"


def test_channel_and_tags_go_out_as_tags(sandbox):
    program = factories.program(marketo_id=1002, channel=sandbox.store.programs[1002].channel)
    factories.tag(program, type="Region", value="Korea")
    assert factories.sync().counts == {"UPDATED": 1}
    assert sandbox.store.programs[1002].tags["Region"] == "Korea"


def test_a_removed_tag_is_settled_with_a_note():
    program = factories.program()
    tag = factories.tag(program)
    factories.sync()
    tag.delete()
    job = factories.sync()
    assert job.counts == {"EQUAL": 1}
    assert "cannot remove" in job.results.get().error
    assert not factories.fresh(program).is_dirty


def test_a_change_taken_back_is_settled_without_a_call(sandbox):
    record = factories.opportunity(stage="Open")
    factories.sync()
    Opportunity.objects.update(stage="Won")
    Opportunity.objects.update(stage="Open")
    calls = len(sandbox.calls)
    job = factories.sync()
    assert job.counts == {"EQUAL": 1}
    assert len(sandbox.calls) == calls
    assert not factories.fresh(record).is_dirty


@pytest.mark.parametrize("operation", [OperationChoice.INSERT, OperationChoice.UPSERT])
def test_a_program_is_never_inserted(sandbox, operation):
    program = factories.program()
    factories.cost(program)
    job = factories.sync(program, operation=operation)
    assert job.counts == {"HELD": 1}
    assert "exist only in Marketo" in job.results.get().error
    assert not sandbox.calls


def test_update_without_any_key_is_held_back(sandbox):
    job = factories.sync(factories.opportunity(), operation=OperationChoice.UPDATE)
    assert "needs a Marketo ID" in job.results.get().error
    assert not sandbox.calls


def test_insert_of_an_existing_record_is_skipped(sandbox):
    record = factories.opportunity()
    factories.sync(record)
    job = factories.sync(record, operation=OperationChoice.INSERT, resend=True)
    assert job.counts == {"SKIPPED": 1}
    assert factories.fresh(record).is_dirty


def test_external_keys_make_a_new_opportunity_an_upsert(sandbox, settings):
    settings.MARKETO = {**settings.MARKETO, "OPPORTUNITY_KEY_FIELD": "ExternalOpportunityId"}
    record = factories.opportunity(external_id="E-7")
    job = factories.sync(record)
    assert job.batches.get().operation == "UPSERT"
    stored = sandbox.store.opportunities[factories.fresh(record).marketo_id]
    assert stored.values["ExternalOpportunityId"] == "E-7"


def test_person_and_company_can_be_given_by_key(sandbox, settings):
    settings.MARKETO = {
        **settings.MARKETO,
        "PERSON_KEY_FIELD": "ExternalPersonId",
        "COMPANY_KEY_FIELD": "ExternalCompanyId",
    }
    opportunity = factories.opportunity(company_key="C-0001")
    role = factories.role(opportunity, person_key="P-0002")
    assert factories.sync().counts == {"CREATED": 2}
    assert factories.fresh(role).marketo_id in sandbox.store.roles


def test_a_key_without_its_setting_is_held_back_in_words(sandbox):
    opportunity = factories.opportunity(company_key="C-0001")
    factories.sync(opportunity)
    assert "MARKETO_COMPANY_KEY_FIELD" in SyncResult.objects.get().error
    other = factories.opportunity()
    factories.sync(other)
    job = factories.sync(factories.role(other, person_key="P-0001"))
    assert "MARKETO_PERSON_KEY_FIELD" in job.results.get().error


def test_custom_attributes_are_sent(sandbox):
    CustomField.objects.create(name="ContractMonths", data_type="integer")
    record = factories.opportunity(custom_attributes={"ContractMonths": "24"})
    factories.sync()
    assert sandbox.store.opportunities[factories.fresh(record).marketo_id].values["ContractMonths"] == "24"


def test_any_text_comes_back_unchanged(sandbox):
    text = "서울 기회 🚀 <b>&amp;\"'</b>\nzweite Zeile"
    record = factories.opportunity(name="서울 🚀 <&>\"'", description=text)
    factories.sync()
    assert sandbox.store.opportunities[factories.fresh(record).marketo_id].values["Description"] == text


def test_datetimes_go_out_with_an_offset(sandbox):
    factories.opportunity(external_created_date=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    factories.sync()
    assert sent(syncs(sandbox)[-1])[0]["ExternalCreatedDate"] == "2026-01-02T03:04:05+00:00"


def test_control_characters_that_slipped_in_are_held_back(sandbox):
    factories.opportunity(stage="a\x0bb")
    job = factories.sync()
    assert "U+000B" in job.results.get().error
    assert not sandbox.calls


def test_an_id_that_another_record_has_is_not_taken(sandbox, settings):
    settings.MARKETO = {**settings.MARKETO, "OPPORTUNITY_KEY_FIELD": "ExternalOpportunityId"}
    first = factories.opportunity(external_id="E-1")
    factories.sync()
    Opportunity.objects.filter(pk=first.pk).update(external_id="E-old")
    second = factories.opportunity(external_id="E-1")
    factories.sync(second)
    second = factories.fresh(second)
    assert second.marketo_id is None
    assert second.last_status == "FAILED"
    assert "another record here" in second.last_error


def test_history_outlives_the_record():
    record = factories.opportunity(name="Gone soon")
    job = factories.sync(record)
    record.delete()
    result = job.results.get()
    assert (result.label, result.kind, result.sent["Name"]) == ("Gone soon", "Opportunity", "Gone soon")


def test_batch_keeps_what_was_sent_but_not_the_signature(sandbox):
    factories.opportunity()
    batch = factories.sync().batches.get()
    assert "<name>Name</name>" in batch.request.replace("\n", "").replace(" ", "")
    assert "CREATED" in batch.response
    assert batch.identity["Signed as (user ID)"] == sandbox.app.credentials.user_id
    assert batch.identity["Signed time"] in batch.request
    assert batch.http_status == 200
    assert batch.seconds > 0


def test_a_cleared_note_is_cleared_in_marketo_too(sandbox):
    stored = next(program for program in sandbox.store.programs.values() if program.costs)
    known = next(iter(stored.costs))
    program = factories.program(marketo_id=stored.id)
    factories.cost(program, marketo_cost_id=known, note="draft")
    factories.sync()
    ProgramCost.objects.update(note="")
    assert factories.sync().counts == {"UPDATED": 1}
    assert sandbox.store.programs[stored.id].costs[known].note == ""


def test_a_look_up_that_comes_due_while_the_job_is_about_to_end_keeps_it_alive(sandbox, world):
    world = world()
    with world.host():
        record = factories.opportunity()
        sandbox.faults.add("cut_after", operation="syncMObjects")
        job = factories.sync(record)
        sent_at = factories.fresh(record).unknown_since
    world.advance(179)
    with world.host():
        task = SendTask(factories.context(job))
        assert not task.step()
    world.advance(2)
    with world.host():
        assert task.due_at() == sent_at + timedelta(seconds=180)
        assert task.step()
        assert task.due_at() is None
