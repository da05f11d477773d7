"""Which records a preview is about, and what of each would change."""

from __future__ import annotations

import uuid
from decimal import Decimal

import pytest
from django.utils import timezone
from lxml import html

from mobjects.models import CustomField, Opportunity, Program, ProgramTag, SyncJob, SyncJobAction
from mobjects.sync.send.preview.estimates import examined_programs, find_losses
from mobjects.sync.send.selection import SyncSelection
from mobjects.sync.transport_factory import key_fields
from tests import factories
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]
SYNC = "/admin/sync/"


@pytest.fixture
def browser(groups):
    return pages.client()


def form(**values):
    return {"kind": "all", "ids": "", "token": str(uuid.uuid4()), "operation": "AUTO", **values}


def names(response) -> list[str]:
    found = html.fromstring(response.content.decode()).xpath("//tbody/tr/th")
    return [" ".join(cell.text_content().split()) for cell in found]


def test_each_field_is_shown_as_accepted_and_as_it_is_now(browser):
    factories.opportunity(name="Deal", marketo_id=7, accepted={"Name": "Old deal"}, stage="<b>Won</b>")
    shown = pages.words(browser.get(f"{SYNC}?kind=Opportunity"))
    assert "Name: Old deal →now Deal" in shown
    assert "Stage: <b>Won</b>" in shown
    assert "Would be changed" in shown


def test_pages_go_by_key_over_all_kinds_in_both_directions(browser):
    factories.program(channel="Webinar")
    deals = [factories.opportunity(name=f"O{number:02}") for number in range(30)]
    factories.role(deals[0], role="Buyer")
    every = ["Webinar", *(deal.name for deal in deals), "Buyer of person 19 in O00"]
    first = browser.post(SYNC, form(list="all"))
    assert names(first) == every[:25]
    assert "32 records" in pages.words(first)
    following = first.context["planned"].following
    second = browser.post(SYNC, form(list=f"all@{following}"))
    assert names(second) == every[25:]
    assert (second.context["planned"].following, first.context["planned"].previous) == ("", "")
    back = browser.post(SYNC, form(list=f"all@{second.context['planned'].previous}"))
    assert names(back) == every[:25]
    assert names(browser.post(SYNC, form(list="all@after:Lead:x"))) == every[:25]


@pytest.mark.parametrize(
    ("search", "found"), [("o07", ["O07"]), ("E-KEY", ["O03"]), ("4711", ["O05"]), ("webinar", ["Webinar"]), ("no", [])]
)
def test_records_are_found_by_name_key_and_id(browser, search, found):
    factories.program(name="Webinar", channel="Webinar")
    for number in range(10):
        factories.opportunity(name=f"O{number:02}", marketo_id=4711 if number == 5 else None)
    Opportunity.objects.filter(name="O03").update(external_id="E-KEY")
    response = browser.post(SYNC, form(list="all", q=search))
    assert names(response) == found
    assert ("Nothing here is called" in pages.words(response)) is (not found)


def test_those_that_would_be_created_are_listed(browser):
    factories.opportunity(name="There", marketo_id=7)
    factories.opportunity(name="New")
    shown = browser.get(f"{SYNC}?kind=all")
    assert "1 record would be created in Marketo." in pages.words(shown)
    assert names(browser.post(SYNC, form(list="new"))) == ["New"]


def test_those_that_marketo_would_skip_are_counted_listed_and_explained(browser):
    there, new = factories.opportunity(name="There", marketo_id=7), factories.opportunity(name="New")
    nothing = pages.words(browser.post(SYNC, form(preview="1")))
    assert "would skip" not in nothing
    shown = pages.words(browser.post(SYNC, form(preview="1", operation="INSERT")))
    assert (
        "Marketo would skip 1 record: INSERT skips what Marketo has, UPDATE what it does not have. Show them" in shown
    )
    assert "1 record would be created in Marketo." in shown
    assert "Marketo would skip it INSERT Marketo has it already, and INSERT skips what it has." in shown
    listed = browser.post(SYNC, form(list="skipped", operation="INSERT"))
    assert names(listed) == [there.name]
    assert "Marketo would skip these" in pages.words(listed)
    assert names(browser.post(SYNC, form(list="new", operation="INSERT"))) == [new.name]


def test_what_an_update_would_skip_is_not_said_to_be_created(browser, settings):
    settings.MARKETO = {**settings.MARKETO, "OPPORTUNITY_KEY_FIELD": "ExternalOpportunityId"}
    factories.opportunity(name="New")
    shown = pages.words(browser.post(SYNC, form(preview="1", operation="UPDATE")))
    assert "would be created in Marketo" not in shown
    assert "Marketo would skip 1 record" in shown
    assert "As far as is known here, Marketo does not have it, and UPDATE skips what Marketo does not have." in shown
    for operation, said in (
        ("INSERT", "If Marketo has a record with this key already, it skips this one."),
        ("UPSERT", "If Marketo has a record with this key already, that is changed instead."),
    ):
        assert said in pages.words(browser.post(SYNC, form(preview="1", operation=operation)))


def test_no_key_is_spoken_of_where_marketo_looks_for_none(browser):
    factories.opportunity(name="New")
    for operation in ("INSERT", "UPSERT"):
        shown = pages.words(browser.post(SYNC, form(preview="1", operation=operation)))
        assert "Would be created" in shown
        assert "with this key" not in shown


def losses():
    keys = key_fields()
    return find_losses(examined_programs(SyncSelection(), keys), SyncSelection(), keys)


def test_tags_and_costs_that_would_be_taken_away_are_counted_and_named(browser, settings):
    settings.MARKETO = {**settings.MARKETO, "TRANSPORT": "rest"}
    program = factories.program(channel="Webinar")
    cost, tag = factories.cost(program, amount=Decimal(10)), factories.tag(program)
    accepted = {"Channel": "Webinar", tag.content_key: "EMEA", cost.content_key: cost.content_text}
    Program.objects.update(accepted=accepted, synced_revision=1)
    assert not losses()
    ProgramTag.objects.all().delete()
    cost.delete()
    shown = pages.words(browser.get(f"{SYNC}?kind=Program"))
    assert "1 tag will be removed in Marketo. 1 period cost will be removed in Marketo. Of 1 program" in shown
    assert "This tag is removed in Marketo: Region." in shown
    factories.program(name="Loses nothing", marketo_id=99)
    assert names(browser.post(SYNC, form(kind="Program", list="losing"))) == [program.name]


def test_records_whose_values_would_be_cleared_are_listed(browser):
    CustomField.objects.create(name="Region")
    sent = {"accepted": {"Name": "A", "Stage": "Won", "Region": "EMEA"}, "synced_revision": 1, "revision": 2}
    factories.opportunity(**sent, name="Stage gone", marketo_id=1, custom_attributes={"Region": "APAC"})
    factories.opportunity(**sent, name="Region gone", marketo_id=2, stage="Lost")
    factories.opportunity(**sent, name="Kept", marketo_id=3, stage="Lost", custom_attributes={"Region": "APAC"})
    factories.opportunity(**sent, name="Held", marketo_id=4, last_status="UNKNOWN", unknown_since=timezone.now())
    factories.opportunity(name="New")
    shown = browser.get(f"{SYNC}?kind=all")
    assert shown.context["preview"].cleared == 2
    assert pages.tree(shown).xpath("//button[@name='list'][@value='cleared']")
    listed = browser.post(SYNC, form(list="cleared"))
    assert names(listed) == ["Stage gone", "Region gone"]
    assert "Values would be cleared in Marketo" in pages.words(listed)


def test_time_and_share_of_the_day_are_said(browser):
    factories.opportunity()
    assert "not known before something was sent" in pages.words(browser.get(f"{SYNC}?kind=all"))
    pages.batch(pages.job(), seconds=3.0)
    shown = browser.get(f"{SYNC}?kind=all")
    assert shown.context["preview"].seconds == 3.0
    assert "about 3.0 s" in pages.words(shown)
    assert "of them; 0 of" in pages.words(shown)


def test_a_dry_run_is_kept_with_the_options_and_a_try_with_the_rest(browser):
    for _ in range(7):
        factories.opportunity()
    browser.post(SYNC, form(kind="Opportunity", keep="1", operation="INSERT", reason="To show"))
    kept = SyncJob.objects.get(action=SyncJobAction.DRY_RUN)
    assert (kept.operation, kept.reason, kept.username) == ("INSERT", "To show", "operator-user")
    assert "Try 5 first, then the other" in pages.words(browser.get(f"{SYNC}?kind=Opportunity"))
    browser.post(SYNC, form(kind="Opportunity", **{"try": "1"}, rest_by_itself="on"))
    tried = SyncJob.objects.get(action=SyncJobAction.SEND)
    assert len(tried.selection["ids"]) == 5
    assert (tried.selection["rest"]["ids"], tried.selection["rest_by_itself"]) == (None, True)


def test_a_long_selection_is_paged_with_a_fixed_number_of_queries(browser, django_assert_max_num_queries):
    made = Opportunity.objects.bulk_create(
        [Opportunity(name=f"O{number}", external_id=f"E{number}") for number in range(40)]
    )
    ids = ",".join(str(pk) for pk in [*(record.pk for record in made), *range(10**6, 10**6 + 9000)])
    with django_assert_max_num_queries(25):
        shown = browser.post(SYNC, form(kind="Opportunity", ids=ids, list="all"))
    assert len(names(shown)) == 25


def test_what_marketo_skips_is_not_cleared(browser):
    Opportunity.objects.filter(pk=factories.opportunity(name="There", marketo_id=7).pk).update(
        accepted={"Name": "There", "Stage": "Won"}, synced_revision=1, revision=2
    )
    assert "1 value will be cleared in Marketo" in pages.words(browser.post(SYNC, form(preview="1")))
    assert names(browser.post(SYNC, form(list="cleared"))) == ["There"]
    assert "will be cleared" not in pages.words(browser.post(SYNC, form(preview="1", operation="INSERT")))
    assert names(browser.post(SYNC, form(list="cleared", operation="INSERT"))) == []
