"""The admin pages of programs, opportunities and roles."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mobjects.models import Conflict, CustomField, Opportunity, OpportunityPersonRole, Program, ProgramCost, SyncJob
from tests import factories
from tests.support.admin_forms import open_form, read_confirmation, send_form

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings", "redis_url")]


@pytest.fixture
def operator(client):
    client.force_login(factories.user("olga", group="operator"))
    return client


def listed(client, model, **query) -> str:
    return client.get(reverse(f"admin:mobjects_{model}_changelist"), query).content.decode()


def save(client, record, **changes):
    return send_form(client, record, open_form(client, record), **changes)


def errors(response) -> str:
    """The text beside the fields of a page that was not saved."""
    assert response.status_code == 200
    forms = [
        response.context["adminform"].form,
        *[f for s in response.context["inline_admin_formsets"] for f in s.forms],
    ]
    return " ".join(str(bound.errors.as_text()) for bound in forms)


# --- lists ---


@pytest.mark.parametrize("model", ["program", "programcost", "programtag", "opportunity", "opportunitypersonrole"])
def test_the_number_of_queries_of_a_list_does_not_grow(operator, model):
    def add(number):
        opportunity = factories.opportunity()
        factories.role(opportunity)
        program = factories.program(marketo_id=1000 + number)
        factories.cost(program)
        factories.tag(program)

    counts = []
    for number in range(1, 4):
        add(number)
        with CaptureQueriesContext(connection) as queries:
            listed(operator, model)
        counts.append(len(queries))
    assert counts[1] == counts[2]


def test_a_program_with_many_rows_takes_no_more_queries(operator):
    program = factories.program()
    counts = []
    for month in (1, 2, 3, 4):
        factories.cost(program, month=date(2026, month, 1))
        factories.tag(program, type=f"Type {month}")
        with CaptureQueriesContext(connection) as queries:
            operator.get(reverse("admin:mobjects_program_change", args=[program.pk]))
        counts.append(len(queries))
    assert len(set(counts[1:])) == 1


@pytest.mark.parametrize("term", ["Acme", "64", "E-acme"])
def test_search_finds_by_name_marketo_id_and_external_id(operator, term):
    factories.opportunity(name="Acme deal", marketo_id=64, external_id="E-acme")
    factories.opportunity(name="Other", marketo_id=65, external_id="E-other")
    page = listed(operator, "opportunity", q=term)
    assert "Acme deal" in page
    assert "Other" not in page


def test_lists_filter_by_state_and_say_it_in_words(operator):
    factories.opportunity(name="Fresh")
    failed = factories.opportunity(name="Broken")
    Opportunity.objects.filter(pk=failed.pk).update(
        last_status="FAILED", last_error="Stage: refused", answered_revision=1
    )
    page = listed(operator, "opportunity", state="failed")
    assert "Broken" in page
    assert "Fresh" not in page
    assert "Stage: refused" in page
    assert "Never synced" in listed(operator, "opportunity", state="never")
    assert "Broken" in listed(operator, "opportunity", state="unsent")


# --- pages ---


def test_saving_an_untouched_page_changes_nothing(operator):
    CustomField.objects.create(name="ContractMonths", data_type="integer")
    record = factories.opportunity(
        amount=Decimal("2000.50"),
        quantity=Decimal("1.5"),
        description="a\nb",
        close_date=date(2026, 6, 30),
        is_won=False,
        custom_attributes={"ContractMonths": "24"},
    )
    before = Opportunity.objects.filter(pk=record.pk).values().get()
    assert save(operator, record).status_code == 302
    after = Opportunity.objects.filter(pk=record.pk).values().get()
    del before["modified_at"], after["modified_at"]
    assert after == before


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("amount", "1.000,50", "is not a number"),
        ("probability", "101", "is not between 0 and 100"),
        ("close_date", "30.06.2026", "write YYYY-MM-DD"),
        ("fiscal_quarter", "5", "less than or equal to 4"),
        ("stage", "a\x0bb", "character 2 is U+000B"),
        ("company_key", "C-1", "not both"),
        ("company_id", "2147483648", "less than or equal to 2147483647"),
        ("custom_ContractMonths", "two", "is not a whole number"),
    ],
)
def test_wrong_values_are_explained(operator, field, text, words):
    CustomField.objects.create(name="ContractMonths", data_type="integer")
    record = factories.opportunity(company_id=7)
    assert words in errors(save(operator, record, **{field: text}))
    assert factories.fresh(record).revision == 1


def test_a_percent_sign_is_fine(operator):
    record = factories.opportunity()
    save(operator, record, probability="80%")
    assert factories.fresh(record).probability == 80


def test_a_taken_external_id_is_explained(operator):
    factories.opportunity(external_id="E-taken")
    record = factories.opportunity()
    assert "already exists" in errors(save(operator, record, external_id="E-taken"))


def test_a_new_opportunity_without_a_key_gets_one(operator):
    data = open_form(operator, factories.opportunity()) | {"name": "New", "external_id": "", "marketo_id": ""}
    assert operator.post(reverse("admin:mobjects_opportunity_add"), data).status_code == 302
    assert Opportunity.objects.get(name="New").external_id.startswith("MA-")


def test_someone_elses_change_is_not_overwritten(operator):
    record = factories.opportunity()
    stale = open_form(operator, record)
    Opportunity.objects.update(stage="Won")
    response = operator.post(reverse("admin:mobjects_opportunity_change", args=[record.pk]), stale | {"stage": "Lost"})
    assert "Somebody else changed this record" in errors(response)
    assert factories.fresh(record).stage == "Won"


def test_an_answer_that_arrived_meanwhile_is_no_conflict(operator):
    record = factories.opportunity()
    stale = open_form(operator, record)
    factories.sync(record)
    operator.post(reverse("admin:mobjects_opportunity_change", args=[record.pk]), stale | {"stage": "Won"})
    now = factories.fresh(record)
    assert (now.stage, now.last_status, now.is_dirty) == ("Won", "CREATED", True)
    assert now.marketo_id


def test_costs_and_tags_are_edited_on_their_program(operator):
    program = factories.program()
    rows = {"costs-TOTAL_FORMS": "1", "costs-0-month": "2026-6", "costs-0-amount": "15.5", "costs-0-note": "Hall"}
    rows |= {"tags-TOTAL_FORMS": "1", "tags-0-type": "Region", "tags-0-value": "EMEA"}
    assert save(operator, program, **rows).status_code == 302
    program = factories.fresh(program)
    assert [cost.content_text for cost in program.costs.all()] == ["2026-06 15.50 Hall"]
    assert [str(tag) for tag in program.tags.all()] == ["Region: EMEA"]
    assert program.is_dirty


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ({"costs-0-month": "June"}, "is not a month; write YYYY-MM"),
        ({"costs-0-amount": "-5"}, "greater than or equal to 0"),
        ({"costs-0-marketo_cost_id": "0"}, "greater than or equal to 1"),
        ({"costs-0-marketo_cost_id": "2147483648"}, "less than or equal to 2147483647"),
    ],
    ids=["month", "amount", "cost id", "too large a cost id"],
)
def test_a_wrong_cost_is_explained(operator, rows, words):
    row = {"costs-TOTAL_FORMS": "1", "costs-0-month": "2026-06", "costs-0-amount": "5"}
    assert words in errors(save(operator, factories.program(), **row | rows))


def test_the_channel_is_no_tag_row(operator):
    rows = {"tags-TOTAL_FORMS": "1", "tags-0-type": "Channel", "tags-0-value": "Webinar"}
    assert "Channel field" in errors(save(operator, factories.program(), **rows))


@pytest.mark.parametrize("types", [("region",), ("New", "New"), ("New", "new")], ids=str)
def test_a_second_tag_of_a_type_is_explained(operator, types):
    program = factories.program()
    factories.tag(program, type="Region")
    rows = {f"tags-{number}-type": name for number, name in enumerate(types, 1)}
    rows |= {f"tags-{number}-value": "APAC" for number in range(1, len(types) + 1)}
    response = save(operator, program, **{"tags-TOTAL_FORMS": str(1 + len(types))}, **rows)
    assert "already has a tag of this type" in errors(response)
    assert program.tags.count() == 1


@pytest.mark.parametrize("removed", [False, True])
def test_a_tag_row_does_not_take_the_type_of_another_row(operator, removed):
    program = factories.program()
    factories.tag(program, type="Region")
    factories.tag(program, type="Unit")
    rows = {"tags-0-type": "Unit", "tags-1-type": "Region"} | ({"tags-1-DELETE": "on"} if removed else {})
    assert "change the value there" in errors(save(operator, program, **rows))


def test_a_removed_tag_and_a_new_one_of_its_type_go_together(operator):
    program = factories.program()
    factories.tag(program, type="Region", value="EMEA")
    rows = {"tags-TOTAL_FORMS": "2", "tags-0-DELETE": "on", "tags-1-type": "Region", "tags-1-value": "APAC"}
    assert save(operator, program, **rows).status_code == 302
    assert [str(tag) for tag in program.tags.all()] == ["Region: APAC"]


def test_removing_accepted_rows_says_that_marketo_keeps_them(operator):
    program = factories.program()
    factories.cost(program, month=date(2026, 6, 1), amount=Decimal(5))
    factories.tag(program, type="Region", value="EMEA")
    factories.sync()
    response = save(operator, program, **{"costs-0-DELETE": "on", "tags-0-DELETE": "on"})
    told = " ".join(str(message) for message in get_messages(response.wsgi_request))
    assert "remove it in Marketo as well" in told
    assert "2026-06 5.00" in told
    assert "Region: EMEA" in told
    assert not Program.objects.get().costs.exists()


def test_the_panel_shows_what_differs_from_marketo(operator):
    record = factories.opportunity(stage="Open")
    factories.sync(record)
    Opportunity.objects.update(stage="Won")
    page = operator.get(reverse("admin:mobjects_opportunity_change", args=[record.pk])).content.decode()
    panel = page[page.index("sync-panel-title") : page.index("</section>", page.index("sync-panel-title"))]
    assert "Changed" in panel
    # As cells: a token among the buttons may hold any three letters.
    assert panel.index("Stage") < panel.index(">Open</td>") < panel.index(">Won</td>")
    assert str(factories.fresh(record).marketo_id) in panel


def test_the_panel_says_why_a_record_was_held_back(operator):
    program = factories.program()
    cost = factories.cost(program)
    factories.sync(program)
    ProgramCost.objects.filter(pk=cost.pk).update(amount=Decimal(99), marketo_cost_id=None)
    factories.sync(program)
    # The job read the ID back after it had held the program back.
    ProgramCost.objects.filter(pk=cost.pk).update(marketo_cost_id=None)
    page = operator.get(reverse("admin:mobjects_program_change", args=[program.pk])).content.decode()
    assert "Held back" in page
    assert "Reason:</strong> The cost" in page


def test_the_marketo_id_of_a_known_record_cannot_be_edited(operator):
    record = factories.opportunity(marketo_id=64)
    save(operator, record, marketo_id="65", stage="Won")
    assert (factories.fresh(record).marketo_id, factories.fresh(record).stage) == (64, "Won")


# --- sync ---


def test_save_and_sync_sends_at_once_what_only_changes_values(operator, django_capture_on_commit_callbacks):
    record = factories.opportunity()
    factories.sync(record)
    factories.opportunity()
    with django_capture_on_commit_callbacks(execute=True):
        response = save(operator, record, stage="Won", mobjects_opportunity_save_and_sync="")
    job = SyncJob.objects.latest("created_at")
    assert response.url == reverse("admin:mobjects_syncjob_change", args=[job.pk])
    assert (job.username, job.selection["ids"], job.state) == ("olga", [record.pk], "queued")
    said = " ".join(str(message) for message in get_messages(response.wsgi_request))
    assert "asked for its sync: 1 value changes in Marketo." in said


def new_opportunity():
    return factories.opportunity(), {"stage": "Won"}


def emptied_value():
    record = factories.opportunity(stage="Open")
    factories.sync(record)
    return record, {"stage": ""}


def undecided():
    record = factories.opportunity()
    factories.sync(record)
    Conflict.objects.create(kind="Opportunity", record_id=record.pk, label="x", reason="both")
    return record, {"stage": "Won"}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (new_opportunity, "Would be created"),
        (emptied_value, "This value is cleared in Marketo: Stage."),
        (undecided, "A person has to decide about it first"),
    ],
)
def test_save_and_sync_shows_first_what_is_more_than_a_change(operator, make, words):
    record, changes = make()
    jobs = SyncJob.objects.count()
    response = save(operator, record, **changes, mobjects_opportunity_save_and_sync="")
    assert SyncJob.objects.count() == jobs
    shown = operator.get(response.url).content.decode()
    assert words in shown
    assert "Not sent yet: this is what sending it does." in shown


def test_save_and_sync_of_what_marketo_has_makes_no_job(operator):
    record = factories.opportunity()
    factories.sync(record)
    response = save(operator, record, mobjects_opportunity_save_and_sync="")
    assert "Marketo has all of it already" in " ".join(map(str, get_messages(response.wsgi_request)))
    assert SyncJob.objects.count() == 1


def test_an_editor_cannot_save_and_sync(client):
    client.force_login(factories.user(group="editor"))
    record = factories.opportunity()
    save(client, record, stage="Won", mobjects_opportunity_save_and_sync="")
    assert factories.fresh(record).stage == "Won"
    assert not SyncJob.objects.exists()


@pytest.mark.parametrize("group", ["viewer", "editor"])
def test_without_the_permission_no_selection_is_sent(client, group):
    client.force_login(factories.user(group=group))
    record = factories.opportunity()
    data = {"action": "sync_selected", "_selected_action": [record.pk]}
    response = client.post(reverse("admin:mobjects_opportunity_changelist"), data)
    assert "What will be sent" not in response.content.decode()
    assert not SyncJob.objects.exists()


def test_deleting_says_that_marketo_keeps_the_record(operator):
    role = factories.role(factories.opportunity())
    address = reverse("admin:mobjects_opportunitypersonrole_delete", args=[role.pk])
    response = operator.post(address, read_confirmation(operator.get(address)), follow=True)
    assert "Nothing was deleted in Marketo" in response.content.decode()
    assert not OpportunityPersonRole.objects.exists()


def test_the_button_history_leads_to_all_that_became_of_a_record(operator):
    record = factories.opportunity()
    answer = operator.get(reverse("admin:mobjects_opportunity_history", args=[record.pk]))
    assert answer.url == reverse("mobjects:record-history", args=["Opportunity", record.pk])


def test_a_custom_field_that_records_hold_is_not_deleted_and_keeps_its_name(admin_client):
    field = CustomField.objects.create(name="Words")
    factories.opportunity(custom_attributes={"Words": "x"})
    page = f"/admin/mobjects/customfield/{field.pk}"
    said = admin_client.get(f"{page}/delete/").content.decode()
    assert "1 record holds a value of it" in said
    assert "if Marketo has no such field any more, pull instead." in said
    admin_client.post(f"{page}/delete/", {"post": "yes"})
    chosen = {"action": "delete_selected", "_selected_action": [field.pk], "post": "yes"}
    admin_client.post("/admin/mobjects/customfield/", chosen)
    admin_client.post(f"{page}/change/", {"kind": field.kind, "name": "Other", "label": "New", "data_type": "string"})
    field.refresh_from_db()
    assert (field.name, field.label) == ("Words", "New")
    Opportunity.objects.update(custom_attributes={})
    admin_client.post(f"{page}/delete/", {"post": "yes"})
    assert not CustomField.objects.exists()


def test_all_records_are_looked_at_once_however_many_custom_fields_are_chosen(admin_client):
    fields = [CustomField.objects.create(name=f"Words{number}") for number in range(3)]
    factories.opportunity(custom_attributes={"Words1": "x"})
    chosen = {"action": "delete_selected", "_selected_action": [field.pk for field in fields]}
    with CaptureQueriesContext(connection) as asked:
        page = admin_client.post("/admin/mobjects/customfield/", chosen).content.decode()
    assert sum("custom_attributes" in query["sql"] for query in asked) == 1
    assert ("Words1: 1 record holds" in page, "Words2: " in page) == (True, False)
