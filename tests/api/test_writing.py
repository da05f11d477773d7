"""Records written through the API: under the rules of the forms, never over an unseen change, and with who it was."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry

from mobjects import timeline
from mobjects.models import AllowedTag, CustomField, EditSource, Kind, Opportunity, Program, RecordEdit
from mobjects.timeline.entries import TimelineFilter
from mobjects.timeline.reading import read_timeline
from tests import factories
from tests.api.clients import ApiClient, program_of, token
from tests.views.pages import MOMENT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups")]


@pytest.fixture
def api():
    return program_of("operator")


def problems(answer) -> dict[str, str]:
    assert answer["Content-Type"] == "application/problem+json", answer.content
    return {each["pointer"]: each["detail"] for each in answer.json()["errors"]}


def test_a_new_record_has_a_key_and_says_who_made_it(api):
    CustomField.objects.create(name="Seats__c", data_type="integer")
    sent = {"name": "Deal", "amount": 1200.5, "close_date": "2026-06-30", "is_won": True, "custom": {"Seats__c": 7}}
    answer = api.post("opportunities", sent)
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert made["external_id"].startswith("MA-")
    assert (made["amount"], made["close_date"], made["is_won"]) == ("1200.50", "2026-06-30", True)
    assert made["custom"] == {"Seats__c": "7"}
    assert api.client.get(answer["Location"], headers=api.headers).json() == made
    edit = RecordEdit.objects.get()
    assert (edit.source, edit.username) == (EditSource.API, "anna")
    entry = read_timeline(Kind.OPPORTUNITY, made["id"], TimelineFilter()).entries[0]
    assert (entry.person, entry.title.partition(" (")[0]) == ("anna", "API, token “nightly")
    assert LogEntry.objects.get().user.username == "anna"


@pytest.mark.parametrize(
    ("sent", "pointer", "said"),
    [
        ({"probability": 180}, "/probability", "100"),
        ({"amount": "much"}, "/amount", "much"),
        ({"close_date": "2026-02-31"}, "/close_date", "2026-02-31"),
        ({"name": ""}, "/name", "required"),
        ({"company_id": 3, "company_key": "acme"}, "", "not both"),
        ({"custom": {"Nope__c": "x"}}, "/custom/Nope__c", "no custom field"),
        ({"name": "a\x01b"}, "/name", "character"),
        ({"colour": "red"}, "/colour", "not permitted"),
    ],
)
def test_what_the_form_would_refuse_is_refused_with_field_and_value(api, sent, pointer, said):
    deal = factories.opportunity(name="Deal")
    etag = api.get(f"opportunities/{deal.pk}").json()["etag"]
    answer = api.patch(f"opportunities/{deal.pk}", sent, if_match=etag)
    assert answer.status_code == 422
    assert said in problems(answer)[pointer]
    assert factories.fresh(deal).name == "Deal"
    assert RecordEdit.objects.filter(source=EditSource.API).count() == 0


def test_what_is_not_sent_stays(api):
    CustomField.objects.create(name="Seats__c", data_type="integer")
    deal = factories.opportunity(name="Deal", stage="Won", custom_attributes={"Seats__c": "7"})
    answer = api.patch(
        f"opportunities/{deal.pk}", {"stage": None}, if_match=api.get(f"opportunities/{deal.pk}")["ETag"]
    )
    assert answer.status_code == 200
    kept = factories.fresh(deal)
    assert (kept.stage, kept.name, kept.custom_attributes) == ("", "Deal", {"Seats__c": "7"})


def test_an_unseen_change_is_not_overwritten(api):
    deal = factories.opportunity(name="Deal")
    seen = api.get(f"opportunities/{deal.pk}")["ETag"]
    assert api.patch(f"opportunities/{deal.pk}", {"stage": "Won"}).status_code == 428
    Opportunity.objects.filter(pk=deal.pk).update(stage="Lost")
    refused = api.patch(f"opportunities/{deal.pk}", {"stage": "Won"}, if_match=seen)
    assert refused.status_code == 412
    assert factories.fresh(deal).stage == "Lost"
    assert api.patch(f"opportunities/{deal.pk}", {"stage": "Won"}, if_match=f"W/{refused['ETag']}").status_code == 200


def test_what_a_sending_writes_changes_no_tag(api):
    deal = factories.opportunity()
    seen = api.get(f"opportunities/{deal.pk}")["ETag"]
    Opportunity.objects.filter(pk=deal.pk).update(last_status="FAILED", last_error="x")
    assert api.get(f"opportunities/{deal.pk}")["ETag"] == seen


def test_costs_and_tags_are_added_changed_and_removed(api):
    program = factories.program()
    old, gone = factories.cost(program), factories.cost(program, note="gone")
    region = factories.tag(program)
    sent = {
        "costs": [
            {"id": old.pk, "amount": "5"},
            {"id": gone.pk, "remove": True},
            {"month": "2026-07", "amount": 12, "note": "new"},
        ],
        "tags": [{"id": region.pk, "value": "APAC"}, {"type": "Vertical", "value": "Retail"}],
    }
    answer = api.patch(f"programs/{program.pk}", sent, if_match=api.get(f"programs/{program.pk}")["ETag"])
    assert answer.status_code == 200, answer.content
    shown = answer.json()
    assert [(each["month"], each["amount"], each["note"]) for each in shown["costs"]] == [
        ("2026-06", "5.00", ""),
        ("2026-07", "12.00", "new"),
    ]
    assert [(each["type"], each["value"]) for each in shown["tags"]] == [("Region", "APAC"), ("Vertical", "Retail")]
    assert len({edit.saving for edit in RecordEdit.objects.filter(source=EditSource.API)}) == 1


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({"channel": "Fax"}, "/channel"),
        ({"tags": [{"type": "Region", "value": "Mars"}]}, "/tags/0/value"),
        ({"costs": [{"month": "2026-06", "amount": "-1"}]}, "/costs/0/amount"),
        ({"costs": [{"id": 99, "amount": "1"}]}, "/costs/0/id"),
        ({"costs": [{"remove": True}]}, "/costs/0/id"),
    ],
)
def test_rules_of_programs_hold_and_nothing_is_half_written(api, sent, pointer):
    for name, value in (("Channel", "Webinar"), ("Region", "EMEA")):
        AllowedTag.objects.create(type=name, value=value, described_at=MOMENT)
    program = factories.program(channel="Webinar")
    sent = {"name": "Renamed", **sent}
    answer = api.patch(f"programs/{program.pk}", sent, if_match=api.get(f"programs/{program.pk}")["ETag"])
    assert answer.status_code == 422
    assert pointer in problems(answer)
    assert Program.objects.get().name == "Webinar"


def test_each_row_takes_its_own_right():
    api = program_of("editor", name="eve", scopes=["read"])
    assert api.post("opportunities", {"name": "Deal"}).status_code == 403
    program = factories.program()
    answer = api.patch(f"programs/{program.pk}", {"channel": "x"}, if_match="x")
    assert "change_program" in answer.json()["detail"]


def test_a_role_belongs_to_an_opportunity_once(api):
    deal = factories.opportunity()
    sent = {"opportunity": deal.pk, "person_id": 19, "role": "Buyer"}
    assert api.post("roles", sent).status_code == 201
    assert "already has this role" in " ".join(problems(api.post("roles", sent)).values())
    assert "/opportunity" in problems(api.post("roles", {**sent, "opportunity": 10**9}))


def test_who_changed_a_value_last_is_named(api):
    deal = factories.opportunity()
    api.patch(f"opportunities/{deal.pk}", {"stage": "Won"}, if_match=api.get(f"opportunities/{deal.pk}")["ETag"])
    assert "anna" in timeline.last_author(Kind.OPPORTUNITY, deal.pk, "Stage")


def test_lists_are_narrowed_by_the_conditions_of_the_pages():
    for name, amount in (("Seoul", 100), ("Busan", 200), ("Sejong", 300)):
        factories.opportunity(name=name, amount=amount)
    api = program_of()
    answer = api.get("opportunities", where=["amount.from.200", "name.contains.s"], limit=1).json()
    assert [each["name"] for each in answer["items"]] == ["Busan"]
    following = api.client.get(answer["next"], headers=api.headers).json()
    assert [each["name"] for each in following["items"]] == ["Sejong"]
    refused = api.get("opportunities", where=["amount.from.many"])
    assert refused.status_code == 422
    (problem,) = refused.json()["errors"]
    assert (problem["pointer"], problem["value"]) == ("where", "amount.from.many")
    assert problem["detail"].startswith("“Amount”: “many” is not a number")


@pytest.mark.parametrize(
    ("since", "found"),
    [
        ("2026-01-01T05:28:50-17:19", 1),
        ("0001-01-01T00:00:00+12:00", 1),
        ("9999-12-31T23:59:59-12:00", 0),
        ("2026-01-01T00:00:00", 1),
    ],
)
def test_a_moment_with_any_offset_narrows_a_list(api, since, found):
    factories.opportunity()
    answer = api.get("opportunities", modified_since=since)
    assert (answer.status_code, len(answer.json()["items"])) == (200, found)


@pytest.mark.parametrize("right", [[], ["view_programcost"], ["view_programtag"]])
def test_costs_and_tags_are_for_those_who_may_see_them(right):
    program = factories.program()
    cost, tag = factories.cost(program), factories.tag(program)
    person = factories.user("watcher")
    person.user_permissions.add(*map(factories.permission, [*right, "view_program", "change_program"]))
    api = ApiClient(token(person)[1])
    (listed,) = api.get("programs").json()["items"]
    changed = api.patch(f"programs/{program.pk}", {"name": "New"}, if_match=listed["etag"]).json()
    for shown in (listed, changed):
        assert (shown["costs"] or [{"id": None}])[0]["id"] == (cost.pk if "view_programcost" in right else None)
        assert (shown["tags"] is None, (shown["tags"] or [{}])[0].get("id") == tag.pk) == (
            ("view_programtag" not in right),
            ("view_programtag" in right),
        )
