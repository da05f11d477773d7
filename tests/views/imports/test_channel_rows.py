"""Rows of tags that set the channels of their programs, as pages show them: before, after, and what they lead to."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from lxml import html

from mobjects import timeline
from mobjects.imports.writing import undo
from mobjects.models import Import, ImportState, Kind
from tests import factories
from tests.imports.helpers import checked, imported
from tests.views import pages
from tests.views.imports.reviewing import seen
from tests.views.test_counts_are_links import links, listed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings", "redis_url")]

FILE = "Program ID,Type,Value\n1001,channel,Webinar\n1002,Channel,Fair\n1001,Region,APAC\n1002,Team,A\n"


@pytest.fixture
def browser(groups):
    return pages.client()


@pytest.fixture
def program():
    factories.program(marketo_id=1002, name="Road")
    program = factories.program(marketo_id=1001, name="Sea & Sun", channel="Email")
    factories.tag(program, pk=program.pk, type="Region", value="EMEA")
    return program


def written() -> Import:
    found = imported("program-tags", FILE, committed_by="ann", committed_at=timezone.now())
    found.state = ImportState.COMMITTED
    found.save()
    return found


def history(browser, program):
    return browser.get(reverse("mobjects:record-history", args=["Program", program.pk]))


def test_the_review_shows_which_program_gets_which_channel(browser, program):
    found = checked("program-tags", FILE, checked_at=timezone.now())
    Import.objects.update(state=ImportState.REVIEW)
    shown = seen(browser, found, "?tab=changed")
    assert "<dt>Program:</dt> <dd>Sea &amp; Sun</dd>" in shown
    assert "<dt>Channel:</dt> <dd><s>Email</s> → Webinar</dd>" in shown
    assert "<dt>Channel:</dt> <dd><s>(empty)</s> → Fair</dd>" in shown
    assert "<dt>Value:</dt> <dd><s>EMEA</s> → APAC</dd>" in shown
    address = reverse("admin:mobjects_program_change", args=[program.pk])
    assert f'<a href="{address}">Channel: Webinar</a>' in shown
    one = seen(browser, found, "?row=2")
    assert "<dt>Channel:</dt> <dd><s>Email</s> → Webinar</dd>" in one


def test_what_was_written_is_counted_and_leads_to_these_records(browser, program):
    found = written()
    assert found.written == {"created": 1, "changed": 3, "left": 0, "channels": 2}
    page = browser.get(reverse("mobjects:import", args=[found.pk]))
    assert "Written: 1 created, 1 changed, 2 channels set." in pages.words(page)
    counted = links(page)
    assert listed(browser.get(counted["1 changed"])) == ["Region"]
    assert listed(browser.get(counted["2 channels set"])) == ["Road", "Sea & Sun"]
    other = browser.get(reverse("admin:mobjects_opportunity_changelist") + f"?import={found.pk}-channels")
    assert other.context["cl"].result_count == 0


def test_a_program_s_history_has_its_channel_and_the_undo(browser, program):
    found = written()
    shown = pages.text(history(browser, program))
    assert "Channel: Email →now Webinar" in " ".join(html.fromstring(shown).text_content().split())
    assert "file.csv" in shown
    undo.undo_import(found, lambda number: None)
    Import.objects.update(undone_by="bob", undone_at=timezone.now() + timedelta(minutes=5))
    shown = " ".join(html.fromstring(pages.text(history(browser, program))).text_content().split())
    assert "Undo of an import: restored" in shown
    assert "Channel: Webinar →now Email" in shown
    assert "Tag Region: APAC →now EMEA" in shown


def test_who_set_the_channel_last_is_known(program):
    written()
    assert "the import of file.csv by ann" in timeline.last_author(Kind.PROGRAM, program.pk, "Channel")
    assert "the import of file.csv by ann" in timeline.last_author(Kind.PROGRAM, program.pk, "Tag Region")
    assert timeline.last_author(Kind.PROGRAM, program.pk, "Name") == ""
