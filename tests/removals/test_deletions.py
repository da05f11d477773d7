"""Deleting many records here: said first, done in chunks in the background, and taken back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from mobjects.models import (
    BulkDeletion,
    DeletedRecord,
    Opportunity,
    OpportunityPersonRole,
    Program,
    ProgramCost,
    ProgramTag,
    RecordEdit,
    RecordStatus,
)
from mobjects.removals import service
from tests import factories
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]


@pytest.fixture
def browser(groups):
    return pages.client("editor")


def many(count: int) -> None:
    Opportunity.objects.bulk_create(
        Opportunity(name=f"O{number:05}", external_id=f"E-{number}", marketo_id=number + 1 if number % 2 else None)
        for number in range(count)
    )


def ask(browser, *records, model="opportunity", everything=False, **query):
    """Choose the action of a list, and follow it to the page that asks."""
    chosen = records or [Opportunity.objects.first()]
    data = {"action": "delete_selected", "_selected_action": [row.pk for row in chosen], "index": "0"}
    address = reverse(f"admin:mobjects_{model}_changelist")
    return browser.post(
        address + (f"?{'&'.join(f'{name}={value}' for name, value in query.items())}" if query else ""),
        data | ({"select_across": "1"} if everything else {}),
        follow=True,
    )


def press(browser, name):
    return browser.post(reverse(f"mobjects:{name}", args=[BulkDeletion.objects.get().pk]), follow=True)


@pytest.mark.django_db(transaction=True)
def test_all_of_a_list_of_any_length_can_be_asked_for_and_goes_to_the_queue(browser, queue):
    many(20_002)
    response = ask(browser, everything=True)
    shown = pages.words(response)
    assert response.status_code == 200
    assert shown.index("10,001 of these are in Marketo and stay there.") < shown.index("Deletes 20,002 opportunities")
    response = press(browser, "deletion-confirm")
    assert "Deleting: 0 of 20,002 opportunities dealt with." in pages.words(response)
    assert Opportunity.objects.count() == 20_002
    assert queue.count == 1


@pytest.mark.django_db(transaction=True)
def test_what_is_deleted_in_the_background_is_brought_back_as_it_was(browser, work):
    many(600)
    before = {row["id"]: row for row in Opportunity.objects.values()}
    ask(browser, everything=True)
    press(browser, "deletion-confirm")
    assert Opportunity.objects.count() == 600
    work()
    assert not Opportunity.objects.exists()
    page = browser.get(reverse("mobjects:deletion", args=[BulkDeletion.objects.get().pk]))
    assert "Deleted 600 of 600 opportunities here. Nothing was deleted in Marketo." in pages.words(page)
    assert LogEntry.objects.count() == 600
    press(browser, "deletion-undo")
    work()
    assert {row["id"]: row for row in Opportunity.objects.values()} == before


def test_the_list_is_deleted_as_it_was_filtered(browser):
    factories.opportunity(name="Keep", stage="Won")
    gone = factories.opportunity(name="Drop me")
    shown = pages.words(ask(browser, gone, everything=True, q="Drop"))
    assert "Deletes 1 opportunity here (search: “Drop”)." in shown
    press(browser, "deletion-confirm")
    assert [row.name for row in Opportunity.objects.all()] == ["Keep"]


def test_what_belongs_to_a_program_goes_and_comes_back_with_it_as_it_was(browser, marketo_settings):
    program = factories.program()
    factories.cost(program, amount=Decimal("5.50"))
    factories.tag(program)
    factories.sync(program)
    models = (Program, ProgramCost, ProgramTag)
    before = [list(model.objects.values()) for model in models]
    shown = pages.words(ask(browser, program, model="program"))
    assert "1 of these is in Marketo and stays there." in shown
    assert "With it 1 " in shown
    press(browser, "deletion-confirm")
    assert [model.objects.count() for model in models] == [0, 0, 0]
    assert "Undone: 3 brought back." in pages.words(press(browser, "deletion-undo"))
    assert [list(model.objects.values()) for model in models] == before


def test_what_came_back_and_what_did_not_are_listed(browser):
    taken, free = (factories.opportunity(name=name, external_id=name) for name in ("Taken", "Free"))
    ask(browser, taken, free)
    press(browser, "deletion-confirm")
    factories.opportunity(name="Another", external_id="Taken")
    shown = press(browser, "deletion-undo")
    assert "Undone: 1 brought back, 1 left." in pages.words(shown)
    listed = {}
    for address in pages.tree(shown).xpath("//p[@role='status']/a/@href"):
        page = pages.tree(browser.get(shown.request["PATH_INFO"] + address))
        listed[address] = [row.text_content() for row in page.xpath("//*[@id='deleted']//tbody/tr/th")]
    assert listed == {"?now=restored#deleted": ["Free"], "?now=left#deleted": ["Taken"]}


def test_what_a_role_was_called_is_kept_in_english_and_said_in_the_readers_language(browser):
    role = factories.role(factories.opportunity(name="Deal"), role="Champion")
    browser.defaults["HTTP_ACCEPT_LANGUAGE"] = "ko"
    ask(browser, role, model="opportunitypersonrole")
    press(browser, "deletion-confirm")
    deletion = BulkDeletion.objects.get()
    assert deletion.deleted.get().label == f"Champion of person {role.person_id} in Deal"
    page = browser.get(reverse("mobjects:deletion", args=[deletion.pk]))
    assert f"Deal에서 사람 {role.person_id}의 Champion" in pages.words(page)


def test_what_may_be_on_its_way_to_marketo_is_left_alone(browser):
    batch = pages.batch(pages.job())
    claimed = factories.opportunity(name="Claimed", claimed_by=batch)
    unknown = factories.opportunity(name="Unknown", last_status=RecordStatus.UNKNOWN)
    parent = factories.opportunity(name="With a role")
    factories.role(parent, claimed_by=batch)
    free = factories.opportunity(name="Free")
    assert "3 are left alone" in pages.words(ask(browser, claimed, unknown, parent, free))
    shown = pages.words(press(browser, "deletion-confirm"))
    assert "Deleted 1 of 4 opportunities here." in shown
    assert "3 left alone, because they are in a batch" in shown
    left = reverse("mobjects:deletion-records", args=[BulkDeletion.objects.get().pk, "left"])
    assert f'href="{left}"' in pages.text(
        browser.get(reverse("mobjects:deletion", args=[BulkDeletion.objects.get().pk]))
    )
    listed = browser.get(left)
    assert [str(record) for _, record in listed.context["records"]] == ["Claimed", "Unknown", "With a role"]
    assert "3 records" in pages.words(listed)
    assert set(Opportunity.objects.values_list("name", flat=True)) == {"Claimed", "Unknown", "With a role"}


def test_what_was_changed_since_it_was_shown_is_left_alone(browser):
    edited, other = factories.opportunity(name="Edited"), factories.opportunity(name="Other")
    ask(browser, edited, other)
    Opportunity.objects.filter(pk=edited.pk).update(stage="Won")
    assert "1 left alone, because they were changed" in pages.words(press(browser, "deletion-confirm"))
    assert Opportunity.objects.get().name == "Edited"


def test_each_reason_for_which_records_stay_leads_to_exactly_these(browser):
    claimed = factories.opportunity(name="Claimed", claimed_by=pages.batch(pages.job()))
    edited, gone, free = (factories.opportunity(name=name) for name in ("Edited", "Gone", "Free"))
    ask(browser, claimed, edited, gone, free)
    number = gone.pk
    Opportunity.objects.filter(pk=edited.pk).update(stage="Won")
    gone.delete()
    page = pages.tree(press(browser, "deletion-confirm"))
    links = {link.text_content(): link.get("href") for link in page.xpath("//li/a[contains(., 'left alone')]")}
    assert set(links) == {"1 left alone", "2 left alone"}
    found = {words: [str(shown) for _, shown in browser.get(url).context["records"]] for words, url in links.items()}
    assert found == {"1 left alone": ["Claimed"], "2 left alone": ["Edited", f"No. {number}, deleted here since"]}
    # One that a worker of the release before dealt with keeps no ids.
    BulkDeletion.objects.update(left=None)
    shown = pages.tree(browser.get(reverse("mobjects:deletion", args=[BulkDeletion.objects.get().pk])))
    assert shown.xpath("//li/a[contains(., 'left alone')]") == []


def test_an_opportunity_with_a_role_that_was_changed_since_is_left_alone(browser):
    role = factories.role(factories.opportunity())
    ask(browser)
    OpportunityPersonRole.objects.filter(pk=role.pk).update(role="Edited")
    press(browser, "deletion-confirm")
    assert Opportunity.objects.exists()


def test_costs_and_tags_are_deleted_alone_too(browser):
    program = factories.program()
    costs = [factories.cost(program, note=str(number)) for number in range(3)]
    ask(browser, *costs[:2], model="programcost")
    press(browser, "deletion-confirm")
    assert [cost.note for cost in ProgramCost.objects.all()] == ["2"]
    press(browser, "deletion-undo")
    assert ProgramCost.objects.count() == 3
    edits = RecordEdit.objects.filter(kind="Program", record_id=program.pk).exclude(source="other")
    assert [(edit.source, len(edit.changes)) for edit in edits] == [("restored", 1)] * 2 + [("deleted", 1)] * 2


def test_what_has_its_key_by_now_stays_and_the_rest_comes_back(browser):
    first, second = factories.opportunity(external_id="E-1"), factories.opportunity(external_id="E-2")
    factories.role(first)
    ask(browser, first, second)
    press(browser, "deletion-confirm")
    factories.opportunity(name="New", external_id="E-1")
    shown = pages.words(press(browser, "deletion-undo"))
    assert "Undone: 1 brought back, 2 left." in shown
    assert "Something else has its Marketo ID, its key or its place by now, or an equal cost was added." in shown
    assert Opportunity.objects.filter(pk=second.pk).exists()
    assert not OpportunityPersonRole.objects.exists()


def test_pressing_twice_does_it_once(browser):
    record = factories.opportunity()
    ask(browser, record)
    press(browser, "deletion-confirm")
    assert "That was confirmed already." in pages.words(press(browser, "deletion-confirm"))
    press(browser, "deletion-undo")
    assert "That was asked for already." in pages.words(press(browser, "deletion-undo"))
    assert Opportunity.objects.get() == record


def test_it_goes_on_where_a_dead_worker_left_it(browser, work, queue):
    many(1200)
    user = factories.User.objects.get()
    deletion = service.ask_deletion(Opportunity.objects.all(), "", user)
    service.confirm_deletion(deletion)
    queue.empty()
    assert service._do_chunk(deletion.pk)
    assert Opportunity.objects.count() == 700
    service.DELETION_WORK.sweep()
    assert queue.count == 0
    BulkDeletion.objects.update(step_at=timezone.now() - timedelta(minutes=1))
    service.DELETION_WORK.sweep()
    service.DELETION_WORK.sweep()
    assert queue.count == 1
    work()
    assert not Opportunity.objects.exists()
    assert DeletedRecord.objects.count() == 1200


def test_only_those_who_may_delete_do(groups, browser):
    record = factories.opportunity()
    ask(browser, record)
    viewer = pages.client("viewer")
    assert "You may not delete these records" in pages.words(
        viewer.get(reverse("mobjects:deletion", args=[BulkDeletion.objects.get().pk]))
    )
    for name in ("deletion-confirm", "deletion-undo"):
        assert press(viewer, name).status_code == 403
    assert Opportunity.objects.exists()


def test_the_figures_of_the_page_lead_to_the_records_and_the_deletion_is_found_again(browser):
    batch = pages.batch(pages.job())
    factories.opportunity(name="There", marketo_id=64, synced_revision=1)
    factories.opportunity(name="New")
    factories.opportunity(name="Claimed", claimed_by=batch)
    page = ask(browser, everything=True)
    assert "Delete 2 here" in pages.words(page)
    deletion = BulkDeletion.objects.get()
    for which, names in {"in_marketo": ["There"], "unsent": ["New", "Claimed"], "busy": ["Claimed"]}.items():
        address = reverse("mobjects:deletion-records", args=[deletion.pk, which])
        assert f'href="{address}"' in pages.text(page)
        assert [str(record) for _, record in browser.get(address).context["records"]] == names
    assert browser.get(reverse("mobjects:deletion-records", args=[deletion.pk, "nonsense"])).status_code == 404
    listed = reverse("admin:mobjects_bulkdeletion_changelist")
    assert not browser.get(listed).context["cl"].result_count
    press(browser, "deletion-confirm")
    assert browser.get(listed).context["cl"].result_count == 1
    assert f'href="{listed}"' in pages.text(browser.get(reverse("admin:index")))
    found = browser.get(reverse("admin:mobjects_bulkdeletion_change", args=[deletion.pk]))
    assert found.url == reverse("mobjects:deletion", args=[deletion.pk])


def test_the_list_is_for_those_who_may_delete(groups):
    viewer = pages.client("viewer")
    listed = reverse("admin:mobjects_bulkdeletion_changelist")
    assert viewer.get(listed).status_code == 403
    assert f'href="{listed}"' not in pages.text(viewer.get(reverse("admin:index")))
