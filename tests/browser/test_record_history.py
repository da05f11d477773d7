"""The history of a record in a real browser: narrowed and brought back by keyboard, readable at both widths."""

from __future__ import annotations

import pytest
from django.utils import timezone

from mobjects.db.edit_context import edit
from mobjects.models import Conflict, EditSource, Opportunity
from tests import factories
from tests.browser.test_way_back import look
from tests.imports.helpers import imported
from tests.views import pages

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("marketo_settings", "redis_url", "groups"),
]


def test_a_value_comes_back_by_keyboard_and_both_pages_are_accessible_and_fit(open_page):
    file = "External ID,Name,Stage,Amount\nE-9,Acme Q1 2014,New,2000\n"
    imported("opportunities", file, committed_by="ann", committed_at=timezone.now())
    record = Opportunity.objects.get()
    job = pages.job(username="bob")
    diff = [["Stage", "", "New"], ["Amount", "", "2000.00"], ["Name", "", record.name], ["Type", "", "x"]]
    wrong = "Stage: “New” is no value that Marketo knows; allowed are Prospecting, Won and Lost."
    sent = {"batch": pages.batch(job), "record_id": record.pk, "status": "FAILED", "error": wrong}
    pages.result(job, **sent, diff=diff, sent={name: new for name, _, new in diff})
    with edit(EditSource.FORM, factories.user("olga")):
        Opportunity.objects.update(stage="Won", amount=None, next_step="Call " * 20)
    about = {"kind": "Opportunity", "record_id": record.pk, "label": "Deal", "reason": "both"}
    Conflict.objects.create(**about)
    page = open_page(f"/admin/sync-history/Opportunity/{record.pk}/")
    look(page, "history")
    page.select_option("select[name=person]", "olga")
    page.focus("text=Show >> visible=true")
    page.keyboard.press("Enter")
    page.wait_for_url("**person=olga**")
    assert page.locator("#timeline tbody tr").count() == 1
    page.focus("text=Restore values…")
    page.keyboard.press("Enter")
    page.wait_for_url("**/restore/**")
    look(page, "restore")
    page.focus("input[value=NextStep]")
    page.keyboard.press("Space")
    page.focus("button:has-text('Restore')")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/sync-history/Opportunity/{record.pk}/")
    assert "2 values were restored." in page.inner_text("body")
    record.refresh_from_db()
    assert (record.stage, record.amount, record.next_step[:4]) == ("New", 2000, "Call")
