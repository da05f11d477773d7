"""One history of a record from all that keep something of it: order, pages, narrowing, and bringing values back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from lxml import html

from mobjects.db.edit_context import edit
from mobjects.imports.writing import undo
from mobjects.models import Conflict, CustomField, EditSource, Import, Opportunity, ProgramCost, ProgramTag, RecordEdit
from tests import factories
from tests.imports.helpers import imported
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings", "redis_url")]


@pytest.fixture
def browser(groups):
    return pages.client()


def history(browser, record, query=""):
    return browser.get(reverse("mobjects:record-history", args=[record.KIND.value, record.pk]) + query)


def titles(answer) -> list[str]:
    return [f"{entry.title} {entry.person}".strip() for entry in answer.context["page"].entries]


def press_restore(browser, record, entry, *, names=None):
    """Open the page of an entry's values and press its button, for all that it shows or for some."""
    address = reverse("mobjects:record-restore", args=[record.KIND.value, record.pk, entry.restores])
    page = html.fromstring(browser.get(address).content.decode())
    (seen,) = page.xpath("//input[@name='seen']/@value")
    shown = page.xpath("//input[@type='checkbox'][@name='name']/@value")
    return browser.post(address, {"seen": seen, "name": shown if names is None else names}, follow=True)


def next_thousandth() -> None:
    """SQLite's clock counts in thousandths of a second, and leaves off what is behind them."""
    begun = timezone.now()
    while timezone.now() - begun < timedelta(milliseconds=1):
        pass


@pytest.fixture
def eventful():
    """An opportunity that was imported, edited, sent, pulled, decided about; its import was undone."""
    CustomField.objects.create(name="Budget__c", data_type="integer")
    file = "External ID,Name,Stage,Budget__c\nE-9,Deal,New,5\n"
    made = imported("opportunities", file, committed_by="ann", committed_at=timezone.now())
    record = Opportunity.objects.get()
    with edit(EditSource.FORM, username="olga"):
        Opportunity.objects.update(stage="Open")
        Opportunity.objects.update(stage="Won", amount=5)
    job = pages.job(username="bob")
    diff = [["Stage", "", "Won"]]
    pages.result(job, batch=pages.batch(job), record_id=record.pk, status="FAILED", error="Bad", diff=diff, sent={})
    pull = pages.job(action="pull", username="cid")
    with edit(EditSource.PULL, username="cid", reference=pull.pk):
        Opportunity.objects.update(custom_attributes={"Budget__c": "7"})
    pages.result(pull, record_id=record.pk, status="TAKEN", diff=[["Budget__c", "5", "7"]])
    about = {"kind": "Opportunity", "record_id": record.pk, "label": "Deal", "reason": "both", "username": "dan"}
    Conflict.objects.create(**about, answer_text="Kept: Stage.")
    Conflict.objects.update(decided_at=timezone.now())
    next_thousandth()
    Opportunity.objects.update(next_step="Call")
    undo.undo_import(made, lambda number: None)
    Import.objects.update(undone_by="eve", undone_at=timezone.now())
    return record


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            "",
            [
                "Undo of an import: left alone eve",
                "Outside of these pages",
                "Decided dan",
                "A person had to decide",
                "Taken from Marketo cid",
                "Pull cid",
                "Failed bob",
                "Form olga",
                "Import: created ann",
            ],
        ),
        ("?what=edit", ["Outside of these pages", "Form olga"]),
        ("?what=import", ["Import: created ann"]),
        ("?what=undo", ["Undo of an import: left alone eve"]),
        ("?what=send", ["Failed bob"]),
        ("?what=read", ["Taken from Marketo cid", "Pull cid"]),
        ("?what=decision", ["Decided dan", "A person had to decide"]),
        ("?what=deletion", []),
        ("?person=ann", ["Import: created ann"]),
        ("?person=dan", ["Decided dan"]),
        ("?person=cid&what=edit", []),
        ("?field=Stage", ["Undo of an import: left alone eve", "Failed bob", "Form olga", "Import: created ann"]),
        ("?field=Amount", ["Form olga"]),
        ("?field=Budget__c&what=read", ["Taken from Marketo cid", "Pull cid"]),
        ("?field=Budget__c&what=import", ["Import: created ann"]),
        ("?field=Won", []),
        ("?after=nonsense&what=send", ["Failed bob"]),
    ],
)
def test_all_that_became_of_a_record_is_one_list_that_can_be_narrowed(browser, eventful, query, expected):
    assert titles(history(browser, eventful, query)) == expected


def test_each_entry_says_values_and_leads_to_what_it_came_with(browser, eventful):
    answer = history(browser, eventful)
    by_title = {entry.title: entry for entry in answer.context["page"].entries}
    # What was saved together is one entry, from the first value to the last.
    assert by_title["Form"].changes == [("Stage", "New", "Won"), ("Amount", "", "5.00")]
    assert ("Budget__c", "", "5") in by_title["Import: created"].changes
    assert by_title["Pull"].changes == [("Budget__c", "5", "7")]
    assert by_title["Taken from Marketo"].changes == []
    links = set(html.fromstring(answer.content.decode()).xpath("//*[@id='timeline']//a/@href"))
    made, conflict = Import.objects.get(), Conflict.objects.get()
    assert {
        reverse("mobjects:import", args=[made.pk]),
        reverse("mobjects:import-review", args=[made.pk]) + "?row=2",
        reverse("admin:mobjects_conflict_change", args=[conflict.pk]),
        *(pages.job_url(entry.result.job) for entry in by_title.values() if entry.result),
        *(reverse("admin:mobjects_syncbatch_change", args=[e.result.batch_id]) for e in [by_title["Failed"]]),
    } <= links


def test_pages_go_on_where_the_one_before_ended_and_cost_the_same(browser, eventful):
    with CaptureQueriesContext(
        connection,
    ) as few:
        history(browser, eventful)
    for number in range(60):
        with edit(EditSource.FORM, username=f"p{number}"):
            Opportunity.objects.update(next_step=str(number))
        if number % 10 == 0:
            pages.result(pages.job(username=f"p{number}"), record_id=eventful.pk)
    seen, query = [], ""
    while True:
        with CaptureQueriesContext(connection) as many:
            answer = history(browser, eventful, query)
        assert len(many) <= len(few)
        seen += answer.context["page"].entries
        query = answer.context["older"]
        if not query:
            break
    assert len(seen) == 60 + 6 + 9
    assert len({(entry.title, entry.position) for entry in seen}) == len(seen)
    assert len(few) <= 22


def test_an_entry_of_many_values_goes_on_on_the_next_page(browser):
    program = factories.program()
    with edit(EditSource.BULK, username="olga"):
        for number in range(230):
            factories.tag(program, type=f"T{number}")
    first = history(browser, program, "?person=olga")
    second = history(browser, program, first.context["older"])
    assert [len(entry.changes) for answer in (first, second) for entry in answer.context["page"].entries] == [200, 30]
    assert titles(history(browser, program, "?field=Tag+"))[0] == "Bulk edit olga"
    assert titles(history(browser, program, "?field=Cost+")) == []


# --- bringing values back ---


def newest(record):
    return RecordEdit.objects.filter(record_id=record.pk).latest("pk")


def entry_of(browser, record, title):
    return next(entry for entry in history(browser, record).context["page"].entries if entry.title == title)


def test_values_come_back_as_shown_and_the_record_is_changed_then(browser):
    record = factories.opportunity(stage="New", amount=Decimal(5))
    with edit(EditSource.GRID, username="olga"):
        Opportunity.objects.update(stage="Won", amount=None, external_id="E-x", next_step="Call")
    Opportunity.objects.update(synced_revision=9, next_step="")
    Opportunity.objects.update(revision=9)
    entry = entry_of(browser, record, "Grid")
    page = browser.get(reverse("mobjects:record-restore", args=["Opportunity", record.pk, entry.restores]))
    assert [(line.name, line.now, line.restored) for line in page.context["lines"]] == [
        ("Stage", "Won", "New"),
        ("Amount", "", "5.00"),
        ("External ID", "E-x", record.external_id),
    ]
    answer = press_restore(browser, record, entry, names=["Stage", "Amount"])
    assert "2 values were restored. Sync the record to send it." in pages.words(answer)
    now = factories.fresh(record)
    assert (now.stage, now.amount, now.external_id, now.is_dirty) == ("New", Decimal(5), "E-x", True)
    assert (newest(record).source, newest(record).changes) == (
        "values",
        [["Stage", "Won", "New"], ["Amount", "", "5.00"]],
    )
    # And that can be taken back like any other change.
    press_restore(browser, record, entry_of(browser, record, "Values restored"))
    assert factories.fresh(record).stage == "Won"


def test_what_was_changed_since_the_page_was_shown_is_not_overwritten(browser):
    record = factories.opportunity(stage="New")
    Opportunity.objects.update(stage="Won")
    entry = entry_of(browser, record, "Outside of these pages")
    address = reverse("mobjects:record-restore", args=["Opportunity", record.pk, entry.restores])
    (seen,) = html.fromstring(browser.get(address).content.decode()).xpath("//input[@name='seen']/@value")
    Opportunity.objects.update(stage="Lost")
    for data in ({"seen": seen, "name": "Stage"}, {"seen": "made up", "name": "Stage"}, {"seen": seen}):
        answer = browser.post(address, data)
        assert "look again" in pages.words(answer) or "Choose at least one value." in pages.words(answer)
        assert [line.now for line in answer.context["lines"]] == ["Lost"]
    assert factories.fresh(record).stage == "Lost"


def test_costs_and_tags_come_back_under_their_own_numbers(browser):
    program = factories.program(channel="Email", name="Sea")
    cost, gone = factories.cost(program, amount=1), factories.cost(program, note="Hall", marketo_cost_id=9)
    tag = factories.tag(program)
    with edit(EditSource.FORM, username="olga"):
        ProgramCost.objects.filter(pk=cost.pk).update(amount=2)
        ProgramCost.objects.filter(pk=gone.pk).delete()
        ProgramTag.objects.all().delete()
        added = factories.cost(program, note="new")
        type(program).objects.update(channel="Fair", name="Sun")
    press_restore(browser, program, entry_of(browser, program, "Form"))
    now = factories.fresh(program)
    assert (now.channel, now.name) == ("Email", "Sea")
    kept = ProgramCost.objects.order_by("pk").values_list("pk", "amount", "note", "marketo_cost_id")
    assert list(kept) == [(cost.pk, 1, "", None), (gone.pk, 2000, "Hall", 9)]
    assert not ProgramCost.objects.filter(pk=added.pk).exists()
    assert list(ProgramTag.objects.values_list("type", "value")) == [(tag.type, tag.value)]


def test_what_an_import_overwrote_and_what_was_sent_come_back(browser):
    program = factories.program(marketo_id=1001)
    cost = factories.cost(program, amount=1, note="Hall")
    imported("program-costs", f"Cost ID,Program ID,Month,Amount\n{cost.pk},1001,2026-06,7\n", committed_by="ann")
    record = factories.opportunity(stage="New")
    job = pages.job()
    pages.result(job, batch=pages.batch(job), record_id=record.pk, sent={"Name": record.name, "Stage": "New"})
    Opportunity.objects.update(stage="Won")
    press_restore(browser, record, entry_of(browser, record, "Created"))
    assert factories.fresh(record).stage == "New"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"custom_attributes": {}}, "Budget: there is no such custom field any more."),
        ({"external_id": "E-other"}, "already exists"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_words(browser, change, said):
    held = {"Budget": "7"} if "custom_attributes" in change else {}
    record = factories.opportunity(custom_attributes=held, external_id="E-mine")
    Opportunity.objects.filter(pk=record.pk).update(**change)
    factories.opportunity(external_id="E-mine" if "external_id" in change else "E-2")
    answer = press_restore(browser, record, entry_of(browser, record, "Outside of these pages"))
    assert said in " ".join(str(message) for message in answer.context["messages"])


def test_only_who_may_change_a_record_brings_values_back(client, groups):
    record = factories.opportunity(stage="New")
    Opportunity.objects.update(stage="Won")
    client.force_login(factories.user("vera", group="viewer"))
    answer = history(client, record)
    assert "Restore values" not in answer.content.decode()
    entry = answer.context["page"].entries[0]
    address = reverse("mobjects:record-restore", args=["Opportunity", record.pk, entry.restores])
    assert client.get(address).status_code == 403
    assert client.post(address, {"name": "Stage"}).status_code == 403
    client.force_login(factories.user("olga", group="operator"))
    for called in ("edit-999", "nothing", "edit-x", "import-1", "result-1", "edit-99999999999999999999"):
        address = reverse("mobjects:record-restore", args=["Opportunity", record.pk, called])
        assert client.get(address).status_code == 404


def test_it_leads_to_the_jobs_that_dealt_with_the_record(browser):
    record, other = factories.opportunity(name="Deal"), factories.opportunity(name="Other")
    job, elsewhere = pages.job(), pages.job()
    pages.result(job, record_id=record.pk)
    pages.result(elsewhere, record_id=other.pk)
    page = html.fromstring(history(browser, record).content.decode())
    (address,) = page.xpath("//a[.='Jobs that dealt with this record']/@href")
    assert list(browser.get(address).context["cl"].result_list) == [job]
