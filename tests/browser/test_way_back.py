"""The pages of the way back in a real browser: accessible, no wider than the screen, usable by keyboard."""

from __future__ import annotations

import pytest
from axe_core_python.sync_playwright import Axe
from django.contrib.auth.models import Group

from mobjects.marketo.types import Kind
from mobjects.models import Conflict, Opportunity, RecordStatus, records_of_kind
from mobjects.sync.content.payload import KeyFields, record_content
from tests import factories
from tests.browser.test_accessibility import WCAG

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("marketo_settings", "groups", "redis_url"),
]

CHANGE = "/admin/mobjects/opportunity/{}/change/"


def conflict(reason, record, here, **values):
    there = {**here, "Stage": "Won", "Amount": "1500", "Description": "As agreed on the telephone. " * 5}
    candidate = {"created_at": "2026-03-01T10:00:00+00:00", "updated_at": "2026-03-02T10:00:00+00:00"}
    found = [{"id": 71, "values": there, **candidate}, {"id": 72, "values": here, **candidate}]
    return Conflict.objects.create(
        kind=record.KIND.value,
        record_id=record.pk,
        label=str(record),
        reason=reason,
        here=here,
        candidates=found,
        **values,
    )


@pytest.fixture
def both_changed():
    record = factories.opportunity(name="Changed on both sides", marketo_id=71, stage="Open", amount="1200")
    base = {"Name": record.name, "Stage": "New", "Amount": "1000", "Description": "Text"}
    rest = {"attributes": {"Region": "EMEA"}}
    records_of_kind(Kind.OPPORTUNITY).filter(pk=record.pk).update(synced_revision=0, accepted=base, in_marketo=rest)
    return conflict("both", record, record_content(factories.fresh(record), KeyFields()), base=base)


@pytest.fixture
def ambiguous():
    record = factories.opportunity(name="Sent without an answer", stage="Open")
    records_of_kind(Kind.OPPORTUNITY).filter(pk=record.pk).update(last_status=RecordStatus.UNKNOWN)
    sent = record_content(factories.fresh(record), KeyFields())
    return conflict("ambiguous", record, sent, base=sent)


def look(page, name):
    """The page in both widths, light and dark."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.reload()
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"{name} scrolls sideways at {width}"
            found = Axe().run(page, options=WCAG)["violations"]
            nodes = [(each["id"], node["target"], node["html"][:200]) for each in found for node in each["nodes"]]
            assert nodes == [], f"{name}, {scheme}, {width}"


@pytest.mark.parametrize(
    "path",
    [
        "/admin/pull/",
        "/admin/pull/?kind=OpportunityPersonRole",
        "/admin/compare/",
        "/admin/mobjects/conflict/",
        "/admin/mobjects/conflict/?decision=all",
    ],
)
@pytest.mark.usefixtures("both_changed", "ambiguous")
def test_pages_of_the_way_back_are_accessible_and_fit(open_page, path):
    look(open_page(path), path)


def test_both_sides_are_accessible_and_fit(open_page, both_changed):
    look(open_page(f"/admin/mobjects/conflict/{both_changed.pk}/change/"), "both changed")


def test_the_candidates_are_accessible_and_fit(open_page, ambiguous):
    look(open_page(f"/admin/mobjects/conflict/{ambiguous.pk}/change/"), "ambiguous")


def test_a_record_with_something_to_decide_is_accessible_and_fits(open_page, both_changed):
    look(open_page(CHANGE.format(both_changed.record_id)), "record")
    look(open_page(f"/admin/sync-history/Opportunity/{both_changed.record_id}/"), "history")


def test_deleting_says_on_both_pages_what_it_does(open_page, both_changed):
    factories.role(Opportunity.objects.get(), marketo_id=81)
    Group.objects.get(name="operator").permissions.add(factories.permission("delete_in_marketo"))
    page = open_page(f"/admin/mobjects/opportunity/{both_changed.record_id}/delete/")
    assert "This deletes here only." in page.inner_text("body")
    look(page, "delete here")
    page.goto("/admin/mobjects/opportunity/")
    page.check("#action-toggle >> visible=true")
    page.select_option("select[name=action]", "delete_in_marketo")
    page.click("button[name=index]")
    assert "1 opportunity, and first its 1 person role" in page.inner_text("main")
    look(page, "delete in Marketo")


def test_a_decision_is_made_with_the_keyboard_alone(open_page, both_changed):
    page = open_page(f"/admin/mobjects/conflict/{both_changed.pk}/change/")
    for number, side in ((0, "here"), (1, "marketo"), (2, "marketo")):
        page.focus(f"input[name=field-{number}][value={side}]")
        page.keyboard.press("Space")
    page.focus("text=Apply these choices")
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/mobjects/conflict/")
    assert "Taken from Marketo" in page.inner_text("body")
