"""Lists narrowed by conditions: chips take them away, a form adds one, and acts are done to what is shown."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from django.contrib.admin.templatetags.admin_list import result_headers
from django.urls import reverse
from lxml import html

from mobjects.models import CustomField, Opportunity, SavedView, Schedule
from mobjects.resources import RESOURCES
from tests import factories
from tests.views import pages

pytestmark = pytest.mark.django_db
LIST = "/admin/mobjects/opportunity/"


@pytest.fixture
def browser(groups):
    for number, name in enumerate(("Seoul", "Busan", "Jeju")):
        factories.opportunity(name=name, amount=Decimal(100 * number))
    return pages.client()


def rows(response):
    return [record.name for record in response.context["cl"].result_list]


def test_a_condition_is_added_and_taken_away_and_the_rest_of_the_address_stays(browser):
    added = browser.get(f"{LIST}?state=never&add=amount&op=from&value=100")
    assert added.status_code == 302
    assert parse_qsl(urlsplit(added.url).query) == [("state", "never"), ("where", "amount.from.100")]
    twice = browser.get(f"{LIST}{added.url}&add=name&op=contains&value=s")
    shown = browser.get(f"{LIST}{twice.url}")
    assert rows(shown) == ["Busan"]
    chips = {chip.words: chip.address for chip in shown.context["chips"]}
    assert list(chips) == ["Amount from 100.00", "Name contains “s”", "state: Never synced"]
    assert "Take away: Amount from 100.00" in pages.text(shown)
    fewer = browser.get(f"{LIST}{chips['Name contains “s”']}")
    assert rows(fewer) == ["Jeju", "Busan"]
    assert rows(browser.get(f"{LIST}{chips['state: Never synced']}")) == ["Busan"]


def test_beside_the_title_of_a_narrowed_list_stands_nothing_but_the_way_back(browser):
    page = html.fromstring(browser.get(f"{LIST}?q=Seoul").content)
    (title,) = page.xpath("//h1")
    assert " ".join(title.text_content().replace("chevron_right", "").split()) == "Dashboard Opportunities"
    assert page.xpath("//a[text()='Show all']/@href") == ["?view=all"]


def test_what_makes_no_sense_is_said_beside_the_form_and_nothing_is_lost(browser):
    shown = browser.get(f"{LIST}?where=name.contains.s&add=amount&op=from&value=12,000")
    assert shown.status_code == 200
    assert "“Amount”: “12,000” is not a number" in pages.text(shown)
    assert rows(shown) == ["Busan", "Seoul"]
    assert 'value="12,000"' in shown.text
    assert 'aria-describedby="condition-refusal"' in shown.text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("where=amount.from.x", "“Amount”: “x” is not a number"),
        ("where=secret.is.1", "This list has no field “secret” to filter by"),
        ("amount__gte=5", "Lists are not narrowed by “amount__gte”."),
        ("opportunitypersonrole__role=x", "Lists are not narrowed by “opportunitypersonrole__role”."),
        ("custom_attributes=1", "Lists are not narrowed by “custom_attributes”."),
    ],
)
def test_an_address_that_asks_for_what_is_not_offered_is_refused_in_words(browser, query, said):
    response = browser.get(f"{LIST}?{query}")
    assert response.status_code == 400
    assert said in pages.text(response)


@pytest.mark.parametrize("kind", ["program", "opportunity", "opportunitypersonrole"])
def test_all_lists_of_records_offer_it(browser, kind):
    response = browser.get(f"/admin/mobjects/{kind}/?where=last_error.filled")
    assert response.status_code == 200
    assert "Last error is not empty" in pages.text(response)


def test_everything_that_the_list_shows_is_what_is_edited(browser):
    asked = browser.post(
        f"{LIST}?where=amount.from.100",
        {"action": "edit_selected", "_selected_action": ["1"], "select_across": "1", "index": "0"},
        follow=True,
    )
    assert "2 opportunities" in pages.text(asked)


def test_an_export_takes_the_conditions(browser):
    page = browser.get(f"{reverse('mobjects:export', args=['opportunities'])}?where=amount.from.100")
    assert "Amount from 100.00" in pages.text(page)
    assert "condition: Amount" not in pages.text(page)
    assert browser.get(f"{reverse('mobjects:export', args=['opportunities'])}?where=x.y").status_code == 400


def test_an_export_offers_the_columns_that_the_list_shows_beside_all(browser):
    CustomField.objects.create(kind="Opportunity", name="Region", data_type="string")
    CustomField.objects.create(kind="Opportunity", name="Seats", data_type="integer")
    where = "where=amount.from.100&where=name.contains.s"
    shown = html.fromstring(browser.get(f"{LIST}?{where}&cols=name.custom_Region.amount_text.state_words").text)
    (address,) = {link for link in shown.xpath("//a/@href") if link.startswith("/admin/export/")}
    assert parse_qs(urlsplit(address).query)["where"] == ["amount.from.100", "name.contains.s"]

    def ticked(page):
        return page.xpath("//input[@name='columns' and @checked]/@value")

    page = html.fromstring(browser.get(address).text)
    assert ticked(page) == ["Name", "Amount", "Region"]
    every = page.xpath("//input[@name='columns']/@value")
    (link,) = page.xpath("//a[text()='Tick all columns']/@href")
    page = html.fromstring(browser.get(f"/admin/export/opportunities/{link}").text)
    assert ticked(page) == every
    (link,) = page.xpath("//a[text()='Tick those that the list shows']/@href")
    again = browser.get(f"/admin/export/opportunities/{link}")
    assert ticked(html.fromstring(again.text)) == ["Name", "Amount", "Region"]
    assert "1 opportunities will be exported" in pages.text(again)
    # A list whose columns nobody chose.
    usual = html.fromstring(browser.get("/admin/export/opportunities/").text)
    assert ticked(usual) == every
    usual = html.fromstring(browser.get("/admin/export/opportunities/?tick=shown").text)
    assert set(ticked(usual)) < set(every)
    assert {"Name", "Stage"} <= set(ticked(usual))


@pytest.mark.parametrize("kind", sorted(RESOURCES.keys() - {"program-costs"}))  # All of whose columns are keys.
def test_of_each_list_the_columns_that_it_shows_are_offered(browser, kind):
    page = html.fromstring(browser.get(f"/admin/export/{kind}/?tick=shown").text)
    assert page.xpath("//input[@name='columns' and @checked]/@value")


def saved(browser, page, **values):
    return browser.post(reverse("mobjects:view-save", args=[page]), {"name": "Big ones", **values})


@pytest.mark.parametrize(
    ("page", "address", "query"),
    [
        ("opportunities", LIST, "where=amount.from.100&cols=amount_text.name"),
        ("programs", "/admin/mobjects/program/", "where=tag.contains.EMEA"),
        ("roles", "/admin/mobjects/opportunitypersonrole/", "where=role.empty"),
        ("imports", "/admin/mobjects/import/", "state__exact=review"),
        ("jobs", "/admin/mobjects/syncjob/", "state__exact=failed"),
    ],
)
def test_a_list_opens_with_a_view_that_its_person_chose(browser, page, address, query):
    assert saved(browser, page, query=query).status_code == 302
    view = SavedView.objects.get()
    press = reverse("mobjects:view-open", args=[page, view.pk])
    browser.post(press)
    opened = browser.get(address)
    assert (opened.status_code, dict(parse_qsl(urlsplit(opened.url).query))) == (302, dict(parse_qsl(query)))
    shown = browser.get(f"{address}{opened.url}")
    assert "Do not open the list with it" in pages.text(shown)
    assert shown.context["chips"][0].address == ("?cols=amount_text.name" if "cols" in query else "?view=all")
    assert browser.get(f"{address}?view=all").status_code == 200
    assert pages.client("viewer").get(address).status_code == 200
    browser.post(press)
    assert browser.get(address).status_code == 200


@pytest.mark.parametrize("query", ["where=custom_Region.is.EMEA", "cols=region", "region=EMEA"])
def test_a_view_that_makes_no_sense_any_more_shows_all_and_can_be_deleted(browser, query):
    saved(browser, "opportunities", query=query)
    view = SavedView.objects.get()
    browser.post(reverse("mobjects:view-open", args=["opportunities", view.pk]))
    shown = browser.get(LIST, follow=True)
    assert shown.status_code == 200
    assert rows(shown) == ["Jeju", "Busan", "Seoul"]
    said = pages.text(shown)
    assert "The view “Big ones” makes no sense any more: " in said
    assert "Do not open the list with it" in said
    delete = reverse("mobjects:view-delete", args=["opportunities", view.pk])
    assert f'action="{delete}"' in said
    browser.post(delete)
    assert browser.get(LIST).status_code == 200


def test_a_refused_address_leads_to_the_whole_list(browser):
    refused = browser.get(f"{LIST}?where=secret.is.1&q=Seoul")
    assert refused.status_code == 400
    (address,) = html.fromstring(refused.text).xpath("//main//a[text()='Show all']/@href")
    assert rows(browser.get(f"{LIST}{address}")) == ["Jeju", "Busan", "Seoul"]


def test_a_view_of_somebody_else_opens_nothing(browser):
    saved(browser, "opportunities", query="where=amount.from.100")
    press = reverse("mobjects:view-open", args=["opportunities", SavedView.objects.get().pk])
    assert pages.client("viewer").post(press).status_code == 404


def headings(response):
    return [heading["text"] for heading in result_headers(response.context["cl"])][1:]


def test_columns_are_chosen_and_ordered(browser):
    CustomField.objects.create(kind="Opportunity", name="Region", label="Region", data_type="string", in_list=False)
    Opportunity.objects.filter(name="Busan").update(custom_attributes={"Region": "EMEA"})
    usual = headings(browser.get(LIST))
    assert usual[:2] == ["name", "Amount"]
    asked = browser.get(f"{LIST}?where=amount.is.100&columns=1&place.stage=2&place.custom_Region=3&place.name=1&o=2")
    assert parse_qsl(urlsplit(asked.url).query) == [("where", "amount.is.100"), ("cols", "name.stage.custom_Region")]
    shown = browser.get(f"{LIST}{asked.url}")
    assert headings(shown) == ["name", "stage", "Region"]
    assert rows(shown) == ["Busan"]
    assert "EMEA" in pages.text(shown)
    assert browser.get(f"{LIST}?cols=name.stage&columns=1&place.name=").url == "?view=all"
    refused = browser.get(f"{LIST}?cols=name.password")
    assert refused.status_code == 400
    assert "This list has no column “password”" in pages.text(refused)


@pytest.mark.parametrize("kind", ["program", "opportunity", "opportunitypersonrole"])
def test_every_column_that_is_offered_can_be_shown_in_as_many_queries(browser, kind, django_assert_max_num_queries):
    factories.role(factories.opportunity(name="Of a role"))
    factories.program()
    address = f"/admin/mobjects/{kind}/"
    names = [column.name for column in browser.get(address).context["columns"]]
    with django_assert_max_num_queries(12):
        shown = browser.get(f"{address}?cols={'.'.join(names)}")
    assert len(headings(shown)) == len(names)


def test_columns_are_no_condition_of_what_is_done_to_all(browser):
    page = browser.get(f"{reverse('mobjects:export', args=['opportunities'])}?where=amount.from.100&cols=name&view=all")
    assert "Amount from 100.00" in pages.text(page)
    assert page.context["cancel"].endswith("?where=amount.from.100&cols=name&view=all")
    assert "cols = " not in pages.text(page)
    assert "view = " not in pages.text(page)


def test_jobs_of_a_schedule_are_said_to_be_that(browser):
    schedule = Schedule.objects.create(name="Nightly", kinds=["Opportunity"], cron="0 6 * * *", time_zone="UTC")
    job = pages.job(schedule=schedule)
    pages.job()
    shown = browser.get(f"/admin/mobjects/syncjob/?schedule={schedule.pk}")
    assert [each.pk for each in shown.context["cl"].result_list] == [job.pk]
    assert [chip.words for chip in shown.context["chips"]] == ["schedule: Nightly"]
    assert browser.get("/admin/mobjects/syncjob/?schedule=x").status_code == 200


@pytest.mark.parametrize(
    ("kind", "query"), [("syncjob", "schedule=x"), ("syncjob", "touched=x"), ("opportunity", "import=x")]
)
def test_what_a_filter_does_not_know_is_what_no_record_has(browser, kind, query):
    pages.job()
    factories.opportunity()
    shown = browser.get(f"/admin/mobjects/{kind}/?{query}")
    assert list(shown.context["cl"].result_list) == []
    (chip,) = shown.context["chips"]
    assert chip.words.endswith(": x")


def test_what_no_filter_of_a_list_names_has_a_chip_too(browser):
    shown = browser.get("/admin/mobjects/syncjob/?schedule__id__exact=7")
    (chip,) = shown.context["chips"]
    assert (chip.words, chip.address) == ("schedule__id__exact = 7", "?view=all")


def test_a_file_of_jobs_is_refused_where_the_address_makes_no_sense(browser):
    response = browser.get(f"{reverse('mobjects:jobs-file', args=['csv'])}?created_at__gte=x")
    assert response.status_code == 400
    assert "The address asks for “created_at__gte=x”, which the list cannot be narrowed by." in pages.text(response)
