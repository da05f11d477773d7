"""Pages that read from Marketo and delete there, over an API that cannot list opportunities and has GUIDs."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile

from mobjects.forms.named_objects import MOST_NAMES
from mobjects.marketo.registry import TRANSPORTS
from mobjects.models import Opportunity, SyncJob
from mobjects.sync.paging import NamedBy
from tests import factories
from tests.support import guid_reading
from tests.support.guid_reading import GuidMemory
from tests.support.guids import guid
from tests.support.pulls import in_step
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]
PULL, COMPARE, DELETE = "/admin/pull/", "/admin/compare/", "/admin/marketo/delete/"
OVER_THIS_API = "Over this API Marketo cannot list all"


@pytest.fixture(autouse=True)
def _over_guids(settings):
    TRANSPORTS["guids"] = guid_reading.entry(GuidMemory())
    settings.MARKETO = {**settings.MARKETO, "TRANSPORT": "guids", "GUIDS_AT": "https://guids.example"}
    yield
    del TRANSPORTS["guids"]


@pytest.fixture
def browser(groups):
    return pages.client()


def start(browser, **values):
    return browser.post(PULL, {"kind": "Opportunity", "start": "1", **values})


def asked():
    return SyncJob.objects.get().selection


def file(text, name="names.csv"):
    return SimpleUploadedFile(name, text.encode())


# --- what is offered ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "by"),
    [
        ("Opportunity", ["External IDs", "Marketo GUIDs"]),
        ("OpportunityPersonRole", ["External IDs of their opportunities", "Marketo GUIDs"]),
    ],
)
def test_what_the_api_cannot_do_is_not_offered_but_said(browser, kind, by):
    page = browser.get(f"{PULL}?kind={kind}")
    form = page.context["form"]
    assert [field.name for field in form.visible_fields()] == ["named_by", "names", "names_file", "reason"]
    assert [words for _, words in form.fields["named_by"].choices] == by
    assert OVER_THIS_API in pages.text(page)


def test_opportunities_are_asked_for_by_external_id_in_words(browser):
    shown = pages.text(browser.get(f"{PULL}?kind=Opportunity"))
    assert f"{OVER_THIS_API} opportunities: give external IDs or pull the ones held here." in shown


def test_kinds_that_can_be_listed_are_asked_for_as_ever(browser):
    page = browser.get(f"{PULL}?kind=Program")
    assert {field.name for field in page.context["form"].visible_fields()} > {"name", "updated_since"}
    assert OVER_THIS_API not in pages.text(page)


def test_a_filter_that_is_given_all_the_same_is_refused(browser):
    response = start(browser, updated_since="2026-03-31")
    assert response.status_code == 400
    assert "Updated since (UTC) “2026-03-31”: Marketo cannot look for this here." in pages.text(response)


def test_the_calls_that_are_needed_are_counted_by_what_one_can_name(browser):
    for number in range(1, 8):
        in_step(factories.opportunity(marketo_guid=guid(number)))
    assert browser.get(f"{PULL}?kind=Opportunity").context["usage"]["calls"] == 3
    assert browser.post(COMPARE, {"kinds": ["Opportunity"]}).context["usage"]["calls"] == 3


# --- naming ---------------------------------------------------------------------------------


def test_nothing_named_reads_what_is_held_here(browser):
    start(browser)
    assert ("names" in asked(), asked()["ids"]) == (False, None)


def test_external_ids_are_given_one_on_each_line_and_each_counts_once(browser):
    start(browser, names=" E-1 \r\n\r\nE, 2\nE-1\n", named_by="key")
    assert (asked()["named_by"], asked()["names"]) == (NamedBy.KEY, ["E-1", "E, 2"])


def test_guids_are_taken_whatever_their_spelling(browser):
    start(browser, names=guid(1).upper(), named_by="id")
    assert asked()["names"] == [guid(1)]


@pytest.mark.parametrize(
    ("text", "named_by", "names"),
    [
        ("E-1\nE-2\n", "key", ["E-1", "E-2"]),
        ("External ID\nE-1\n", "key", ["E-1"]),
        ("Name,External ID\nA,E-1\nB,E-2\n", "key", ["E-1", "E-2"]),
        (f"Marketo GUID,External ID\n{guid(1)},E-1\n", "id", [guid(1)]),
    ],
)
def test_a_file_names_them_in_its_only_column_or_in_the_one_of_that_name(browser, text, named_by, names):
    start(browser, names_file=file(text), named_by=named_by)
    assert asked()["names"] == names


def test_a_text_file_and_the_text_area_go_together(browser):
    start(browser, names="E-0", names_file=file("E-1\nE-2\nE-3\n", "names.txt"), named_by="key")
    assert asked()["names"] == ["E-0", "E-1", "E-2", "E-3"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"names": "not a guid!", "named_by": "id"}, "“not a guid!” is no Marketo GUID"),
        ({"names": "x" * 256, "named_by": "key"}, "at most 255 characters"),
        ({"names_file": file("A,B\n1,2\n"), "named_by": "key"}, "none is named “External ID”"),
        ({"names_file": file("A", "names.pdf"), "named_by": "key"}, "neither CSV nor a workbook"),
        ({"names_file": file("External ID\n"), "named_by": "key"}, "no rows below it"),
        ({"names": "\n".join(map(str, range(MOST_NAMES + 1))), "named_by": "key"}, "give at most 50,000 at once"),
    ],
)
def test_what_can_be_no_name_is_refused_in_words(browser, given, said):
    response = start(browser, **given)
    assert response.status_code == 400
    assert said in pages.text(response)
    assert not SyncJob.objects.exists()


def test_names_are_refused_for_kinds_that_are_listed(browser):
    response = start(browser, kind="Program", names="E-1")
    assert "Which ones “E-1”: Marketo cannot look for this here." in pages.text(response)


# --- deleting -------------------------------------------------------------------------------


def test_what_has_a_guid_is_deleted_and_the_rest_named(groups):
    Group.objects.get(name="operator").permissions.add(factories.permission("delete_in_marketo"))
    browser = pages.client()
    known, unknown = factories.opportunity(marketo_guid=guid(1)), factories.opportunity(marketo_id=71)
    page = browser.post(DELETE, {"kind": "Opportunity", "ids": f"{known.pk},{unknown.pk}", "preview": "1"})
    going = page.context["going"]
    assert (going.opportunities, going.never_sent) == (1, 1)
    assert "selected record has no Marketo GUID; nothing happens to it." in pages.text(page)
    assert Opportunity.objects.count() == 2
