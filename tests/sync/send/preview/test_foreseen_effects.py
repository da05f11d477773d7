"""What an operation would do to a record is foreseen as Marketo then does it, over each API."""

from __future__ import annotations

import pytest

from mobjects.marketo.types import Kind
from mobjects.models import Opportunity, OpportunityPersonRole, SyncedRecord
from mobjects.sync.content.loading import fetch_with_related
from mobjects.sync.send.preview.forecast import forecast_groups
from mobjects.sync.send.preview.record_plans import RecordPlan, judged_records, plan_records
from mobjects.sync.send.selection import OperationChoice, SyncSelection
from mobjects.sync.transport_factory import key_fields
from tests import factories

pytestmark = pytest.mark.django_db
INSERT, UPDATE, UPSERT = OperationChoice.INSERT, OperationChoice.UPDATE, OperationChoice.UPSERT
BECOMES = {"create": "CREATED", "change": "UPDATED", "replace": "CREATED", "skip": "SKIPPED"}
HAS_IT = "Marketo has it already, and INSERT skips what it has."
LACKS_IT = (
    "As far as is known here, Marketo does not have it, and UPDATE skips what Marketo does not have. If it has one "
    "with this key, that is changed."
)


@pytest.fixture(params=["soap", "rest"])
def api(request, marketo_settings, settings) -> str:
    settings.MARKETO = {**settings.MARKETO, "OPPORTUNITY_KEY_FIELD": "ExternalOpportunityId"}
    if request.param == "rest":
        request.getfixturevalue("marketo_rest_settings")
    return request.param


def known_opportunity() -> SyncedRecord:
    record = factories.opportunity(external_id="E-1", name="There")
    factories.sync(record)
    Opportunity.objects.filter(pk=record.pk).update(name="Changed")
    return record


def answered_without_id() -> SyncedRecord:
    """Marketo has accepted it by its key; nobody knows its ID."""
    record = known_opportunity()
    Opportunity.objects.filter(pk=record.pk).update(marketo_id=None, marketo_guid=None)
    return record


def new_opportunity() -> SyncedRecord:
    return factories.opportunity(external_id="E-2", name="New")


def forgotten_opportunity() -> SyncedRecord:
    """Marketo has one with its key, of which nothing is known here."""
    record = known_opportunity()
    Opportunity.objects.filter(pk=record.pk).update(
        marketo_id=None, marketo_guid=None, accepted={}, synced_revision=0, last_status=""
    )
    return record


def new_role() -> SyncedRecord:
    deal = factories.opportunity(external_id="E-1")
    factories.sync(deal)
    return factories.role(deal)


def known_role() -> SyncedRecord:
    record = new_role()
    factories.sync(record)
    OpportunityPersonRole.objects.filter(pk=record.pk).update(is_primary=True)
    return record


def renamed_role() -> SyncedRecord:
    """Over REST its role name is its key."""
    record = known_role()
    OpportunityPersonRole.objects.filter(pk=record.pk).update(role="Sponsor")
    return record


def plan(record: SyncedRecord, selection: SyncSelection) -> RecordPlan:
    keys = key_fields()
    judged = fetch_with_related(record.KIND, judged_records(record.KIND, selection, keys))
    (found,) = plan_records(judged, selection, keys, None)
    return found


SKIPPED_BY_INSERT = [known_opportunity, answered_without_id, known_role]
CASES = [
    *((make, INSERT, "skip", HAS_IT) for make in SKIPPED_BY_INSERT),
    (new_opportunity, INSERT, "create", ""),
    (new_role, INSERT, "create", ""),
    *((make, UPDATE, "change", "") for make in SKIPPED_BY_INSERT),
    *((make, UPSERT, "change", "") for make in SKIPPED_BY_INSERT),
    (new_opportunity, UPDATE, "skip", LACKS_IT),
    (new_opportunity, UPSERT, "create", ""),
    (new_role, UPSERT, "create", ""),
]


@pytest.mark.parametrize(
    ("make", "operation", "effect", "reason"), CASES, ids=lambda value: getattr(value, "__name__", None)
)
def test_what_is_foreseen_is_what_marketo_does(api, make, operation, effect, reason):
    record = make()
    selection = SyncSelection((record.KIND,), ids=(record.pk,), operation=operation)

    found = plan(record, selection)
    assert (found.effect, found.reason) == (effect, reason)
    (group,) = forecast_groups(selection, key_fields())
    assert (group.reason, group.new, group.skipped) == ("", int(effect == "create"), int(effect == "skip"))
    assert factories.sync(record, operation=operation).counts == {BECOMES[effect]: 1}


@pytest.mark.parametrize(("operation", "effect"), [(INSERT, "replace"), (UPDATE, "replace"), (UPSERT, "replace")])
def test_a_role_whose_key_was_changed_is_made_anew_by_any_operation(marketo_rest_settings, operation, effect):
    record = renamed_role()
    selection = SyncSelection((record.KIND,), ids=(record.pk,), operation=operation)
    assert plan(record, selection).effect == effect
    (group,) = forecast_groups(selection, key_fields())
    assert (group.replaced, group.skipped, group.new) == (1, 0, 0)
    assert factories.sync(record, operation=operation).counts == {BECOMES[effect]: 1}


def test_a_role_without_an_id_is_made_a_second_time_where_it_has_no_key(marketo_settings):
    record = known_role()
    OpportunityPersonRole.objects.filter(pk=record.pk).update(marketo_id=None)
    selection = SyncSelection((record.KIND,), ids=(record.pk,), operation=INSERT)
    assert plan(record, selection).effect == "create"
    (group,) = forecast_groups(selection, key_fields())
    assert (group.new, group.skipped) == (1, 0)
    assert factories.sync(record, operation=INSERT).counts == {"CREATED": 1}


@pytest.mark.parametrize(
    ("operation", "foreseen", "counts"),
    [(INSERT, "create", {"SKIPPED": 1}), (UPDATE, "skip", {"UPDATED": 1}), (UPSERT, "create", {"UPDATED": 1})],
)
def test_what_marketo_has_unknown_to_us_is_said_to_be_possible(api, operation, foreseen, counts):
    """The notes of a plan say so; see test_planned_records."""
    record = forgotten_opportunity()
    found = plan(record, SyncSelection((Kind.OPPORTUNITY,), ids=(record.pk,), operation=operation))
    assert (found.effect, found.by_key) == (foreseen, True)
    assert factories.sync(record, operation=operation).counts == counts
