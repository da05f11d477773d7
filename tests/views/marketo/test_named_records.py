"""Choosing records by a pasted list or a file of what they are called, and handing them to the pages that ask."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile

from mobjects.models import SyncJob
from tests import factories
from tests.support.guids import guid
from tests.support.pulls import in_step
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]
BY_LIST = "/admin/records/by-list/"


@pytest.fixture
def browser(groups):
    return pages.client()


def look(browser, kind="Opportunity", **values):
    by = {"Program": "name", "Opportunity": "external_id", "OpportunityPersonRole": "opportunity__external_id"}
    return browser.post(BY_LIST, {"kind": kind, "named_by": by[kind], **values})


def test_a_pasted_list_finds_what_is_here_and_names_what_is_not(browser):
    second, first = factories.opportunity(external_id="E-2nd"), factories.opportunity(external_id="E-1st")
    factories.opportunity(external_id="E-other")
    page = look(browser, names="E-1st\nE-unknown\nE-2nd\nE-1st\n")
    found = page.context["found"]
    assert (list(found.ids), found.named, found.unknown) == ([second.pk, first.pk], 3, ["E-unknown"])
    said = pages.text(page)
    assert "3 names were given. Here are 2 selected opportunities." in said
    assert "1 name is of no record here" in said
    assert "E-unknown" in said


@pytest.mark.parametrize("named_by", ["external_id", "marketo_guid", "marketo_id"])
def test_an_opportunity_is_found_by_each_of_its_names(browser, named_by):
    record = factories.opportunity(external_id="E-1", marketo_guid=guid(1), marketo_id=77)
    factories.opportunity(external_id="77", marketo_guid=guid(2))
    given = {"external_id": "E-1", "marketo_guid": guid(1).upper(), "marketo_id": "77"}[named_by]
    assert list(look(browser, named_by=named_by, names=given).context["found"].ids) == [record.pk]


def test_roles_are_found_by_their_opportunity_and_programs_by_name_or_number(browser):
    deal = factories.opportunity(external_id="E-1")
    roles = [factories.role(deal, role=name) for name in ("Influencer", "Buyer")]
    factories.role(factories.opportunity(external_id="E-2"))
    program = factories.program(name="Webinar, spring", marketo_id=1002)
    named = look(browser, "OpportunityPersonRole", names="E-1").context["found"]
    assert (list(named.ids), named.unknown) == ([role.pk for role in roles], [])
    assert list(look(browser, "Program", names="Webinar, spring").context["found"].ids) == [program.pk]
    assert list(look(browser, "Program", named_by="marketo_id", names="1002").context["found"].ids) == [program.pk]


def test_a_file_names_them_too(browser):
    record = factories.opportunity(external_id="E-1")
    file = SimpleUploadedFile("deals.csv", b"Name,External ID\nA,E-1\nB,E-2\n")
    found = look(browser, names_file=file).context["found"]
    assert (list(found.ids), found.unknown) == ([record.pk], ["E-2"])


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("sync", "Send"),
        ("pull", "Pull 1 selected opportunity"),
        ("compare", "Compare with Marketo"),
        ("delete", "Delete in Marketo"),
    ],
)
def test_what_was_found_goes_to_the_page_that_asks(groups, action, said):
    record = factories.opportunity(marketo_id=77)
    in_step(record)
    browser = pages.client()
    User.objects.get().user_permissions.add(Permission.objects.get(codename="delete_in_marketo"))
    page = browser.post(BY_LIST, {"kind": "Opportunity", "ids": str(record.pk), "action": action})
    assert page.status_code == 200
    assert said in pages.text(page)
    assert not SyncJob.objects.exists()


def test_only_what_a_person_may_do_is_offered_and_done(groups):
    record = factories.opportunity(marketo_id=77)
    browser = pages.client("viewer")
    page = look(browser, names=record.external_id)
    assert dict(page.context["actions"]) == {}
    assert "You may see these records, and do nothing with them in Marketo." in pages.text(page)
    refused = browser.post(BY_LIST, {"kind": "Opportunity", "ids": str(record.pk), "action": "delete"})
    assert "Delete in Marketo" not in pages.text(refused)
    assert refused.status_code == 400


def test_programs_cannot_be_deleted_in_marketo(groups):
    factories.program()
    page = look(pages.client(), "Program", names="Webinar")
    assert set(dict(page.context["actions"])) == {"sync", "pull", "compare"}


def test_who_may_not_see_a_kind_is_told(groups):
    nobody = pages.client("viewer")
    nobody.logout()
    nobody.force_login(factories.user("nobody"))
    page = nobody.get(f"{BY_LIST}?kind=Program")
    assert page.status_code == 403
    assert "see programs" in pages.text(page)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"names": ""}, "Nothing is named; paste at least one line, or choose a file."),
        ({"names": "not a guid!", "named_by": "marketo_guid"}, "“not a guid!” is no Marketo GUID"),
        ({"names": "E-1", "named_by": "marketo_id"}, "“E-1”"),
        ({"names": "E-1", "named_by": "stage"}, "What you give: Select a valid choice. stage"),
    ],
)
def test_what_can_be_no_name_is_refused_in_words(browser, given, said):
    page = look(browser, **given)
    assert page.status_code == 400
    assert said in pages.text(page)


@pytest.mark.parametrize("ids", ["", "1,x"])
def test_a_damaged_list_of_ids_leads_back_to_the_records(browser, ids):
    response = browser.post(BY_LIST, {"kind": "Opportunity", "ids": ids, "action": "compare"}, follow=True)
    assert response.redirect_chain == [("/admin/mobjects/opportunity/", 302)]
    assert "No records are selected." in pages.text(response)


def test_the_list_of_records_leads_here(browser):
    factories.opportunity()
    page = browser.get("/admin/mobjects/opportunity/")
    assert "Choose by a list…" in pages.text(page)
    response = browser.get("/admin/mobjects/opportunity/choose-by-list", follow=True)
    assert response.redirect_chain[-1][0] == f"{BY_LIST}?kind=Opportunity"
