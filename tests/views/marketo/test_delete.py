"""Deleting in Marketo: what the page says before, the number to type, and the admin's own deleting beside it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from mobjects.marketo.types import Kind
from mobjects.models import Opportunity, OpportunityPersonRole, SyncJob, SyncJobState, records_of_kind
from mobjects.views.marketo.delete import DeletePreview, confirm_delete, preview_delete
from tests import factories
from tests.factories import fresh
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]
DELETE = "/admin/marketo/delete/"
OPPORTUNITIES = "/admin/mobjects/opportunity/"


@pytest.fixture
def browser(groups):
    Group.objects.get(name="operator").permissions.add(factories.permission("delete_in_marketo"))
    return pages.client()


def clean(record):
    records_of_kind(record.KIND).filter(pk=record.pk).update(synced_revision=record.revision)
    return record


@pytest.fixture
def deal():
    """An opportunity with two roles in Marketo, and one that was never sent."""
    parent = clean(factories.opportunity(name="Deal", marketo_id=71))
    for number in (81, 82):
        clean(factories.role(parent, person_id=number, marketo_id=number))
    factories.role(parent, person_id=99)
    return parent


def post(browser, *rows, typed="", **values):
    kind = rows[0].KIND.value
    page = choose(browser, *rows, address=f"/admin/mobjects/{rows[0]._meta.model_name}/")
    seen = page.context["seen"] if page.context else ""
    given = {"kind": kind, "ids": ",".join(str(row.pk) for row in rows), "typed": typed, "seen": seen, **values}
    return browser.post(DELETE, given)


def choose(browser, *rows, address=OPPORTUNITIES):
    chosen = {"action": "delete_in_marketo", "_selected_action": [row.pk for row in rows], "index": "0"}
    return browser.post(address, chosen)


def test_the_page_counts_what_goes_on_both_sides(browser, deal):
    never = factories.opportunity()
    response = choose(browser, deal, never)
    assert response.context["going"] == DeletePreview(opportunities=1, roles=2, never_sent=1, roles_here=1, unsent=1)
    shown = pages.words(response)
    assert "Deletes in Marketo: 1 opportunity, and first its 2 person roles. This cannot be undone." in shown
    assert "1 person role that Marketo never got is deleted here with its opportunity." in shown
    assert "1 of these holds changes that were not sent; they are lost." in shown
    assert "Roles that exist in Marketo but not here stay there, without an opportunity" in shown
    assert "1 selected record has no Marketo ID; nothing happens to it." in shown
    assert not SyncJob.objects.exists()


def test_roles_alone_are_counted_without_their_opportunity(deal):
    ids = list(OpportunityPersonRole.objects.values_list("pk", flat=True))
    going = preview_delete({"kind": "OpportunityPersonRole", "ids": ids})
    assert going == DeletePreview(opportunities=0, roles=2, never_sent=1, roles_here=0, unsent=0)


def test_the_right_number_makes_the_job(browser, deal):
    response = post(browser, deal, typed="3", reason="Test data")
    job = SyncJob.objects.get()
    assert response.url == pages.job_url(job)
    assert (job.action, job.kind, job.reason, job.username) == ("delete", "Opportunity", "Test data", "operator-user")
    roles = {str(role.pk): role.revision for role in deal.roles.all()}
    revisions = {"Opportunity": {str(deal.pk): deal.revision}, "OpportunityPersonRole": roles}
    assert job.selection == {"kind": "Opportunity", "ids": [deal.pk], "revisions": revisions}


@pytest.mark.parametrize("changed", [Opportunity, OpportunityPersonRole])
def test_what_was_changed_since_the_page_was_shown_is_asked_about_again(browser, deal, changed):
    seen = choose(browser, deal).context["seen"]
    changed.objects.update(**({"stage": "Won"} if changed is Opportunity else {"is_primary": True}))
    response = post(browser, deal, typed="3", seen=seen)
    assert "changed here since the page was opened" in pages.text(response)
    assert not SyncJob.objects.exists()
    post(browser, deal, typed="3", seen=response.context["seen"])
    assert SyncJob.objects.count() == 1


@pytest.mark.parametrize(("typed", "said"), [("", "it is empty"), ("2", "“2” is not it"), ("yes", "“yes” is not it")])
def test_another_number_deletes_nothing_and_says_so(browser, deal, typed, said):
    response = post(browser, deal, typed=typed)
    assert response.status_code == 400
    shown = pages.text(response)
    assert f"Type 3 to confirm; {said}. Nothing was deleted." in shown
    assert not SyncJob.objects.exists()


def test_a_role_that_came_since_the_page_was_shown_asks_again(browser, deal):
    factories.role(deal, person_id=83, marketo_id=83)
    assert "Type 4 to confirm" in pages.text(post(browser, deal, typed="3"))
    assert not SyncJob.objects.exists()


def test_what_marketo_does_not_have_cannot_be_deleted_there(browser):
    never = factories.opportunity()
    shown = pages.text(choose(browser, never))
    assert "None of the selected records exists in Marketo" in shown
    assert "mo-button" not in shown
    post(browser, never, typed="0")
    assert not SyncJob.objects.exists()


@pytest.mark.parametrize(
    "wrong", [{"ids": ""}, {"ids": "1,x"}, {"kind": "Program"}, {"kind": ""}, {"reason": "x" * 1001}]
)
def test_a_damaged_form_is_refused_in_words(browser, deal, wrong):
    response = post(browser, deal, typed="3", **wrong)
    assert response.status_code == 400
    assert 'role="alert"' in pages.text(response)
    assert not SyncJob.objects.exists()


@pytest.mark.parametrize("group", ["viewer", "editor", "operator"])
def test_it_takes_a_permission_that_no_group_comes_with(groups, deal, group):
    browser = pages.client(group)
    assert "delete_in_marketo" not in pages.text(browser.get(OPPORTUNITIES))
    response = post(browser, deal, typed="3")
    assert response.status_code == 403
    assert "You are not allowed to delete records in Marketo" in pages.text(response)
    assert not SyncJob.objects.exists()


def test_programs_are_not_offered_it(browser):
    factories.program()
    shown = pages.text(browser.get("/admin/mobjects/program/"))
    assert "pull_selected" in shown
    assert "delete_in_marketo" not in shown


def test_an_empty_selection_leads_back_to_the_list(browser, rf):
    request = rf.get("/")
    request.user = factories.user("olivia", group="operator")
    request._messages = type("Said", (), {"add": lambda *_: None})()
    assert confirm_delete(request, Kind.OPPORTUNITY, []).url == OPPORTUNITIES


@pytest.mark.parametrize("address", ["/admin/mobjects/opportunity/{}/delete/", OPPORTUNITIES])
def test_the_admins_own_deleting_says_that_marketo_is_not_touched(browser, deal, address):
    if address == OPPORTUNITIES:
        chosen = {"action": "delete_selected", "_selected_action": [deal.pk], "index": "0"}
        response = browser.post(address, chosen, follow=True)
    else:
        response = browser.get(address.format(deal.pk))
    shown = pages.text(response)
    assert "This deletes here only. Nothing is deleted in Marketo" in shown
    assert "“Delete in Marketo…”" in shown


def test_of_programs_the_admins_own_deleting_names_no_way_to_delete_in_marketo(browser):
    program = factories.program()
    shown = pages.text(browser.get(reverse("admin:mobjects_program_delete", args=[program.pk])))
    assert "This deletes here only." in shown
    assert "“Delete in Marketo…”" not in shown


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("marketo_settings")
def test_from_the_list_to_both_sides_being_empty(browser, work, sandbox):
    parent = factories.opportunity()
    factories.sync(parent)
    factories.role(fresh(parent))
    factories.sync()
    assert (len(sandbox.store.opportunities), len(sandbox.store.roles)) == (1, 1)
    post(browser, parent, typed=str(choose(browser, parent).context["going"].count))
    work()
    job = SyncJob.objects.get(action="delete")
    assert (job.state, job.counts) == (SyncJobState.SUCCEEDED, {"DELETED": 2})
    assert (sandbox.store.opportunities, sandbox.store.roles, Opportunity.objects.count()) == ({}, {}, 0)
    assert "Deleted in Marketo" in pages.text(browser.get(pages.job_url(job)))
