"""A program with thousands of costs opens small, is saved by its page, and an oversized form says what is wrong."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from lxml import html

from mobjects.models import ProgramCost
from tests import factories
from tests.support.admin_forms import browser_of, change_url, open_form, send_form
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings", "redis_url")]

COSTS = 1700
LARGEST_BYTES = 600_000


@pytest.fixture
def olga():
    return browser_of(factories.user("olga", group="operator"))


@pytest.fixture
def program():
    program = factories.program()
    months = [date(2000 + number // 12, number % 12 + 1, 1) for number in range(COSTS)]
    ProgramCost.objects.bulk_create(ProgramCost(program=program, month=month, amount=1) for month in months)
    return program


def test_a_program_with_many_costs_opens_small_and_is_saved(olga, program):
    page = olga.get(change_url(program))
    assert len(page.content) < LARGEST_BYTES
    form = open_form(olga, program)
    assert len(form) < 500
    assert send_form(olga, program, form, **{"costs-0-amount": "2"}).status_code == 302
    assert program.costs.order_by("month").values_list("amount", flat=True)[0] == 2
    assert program.costs.filter(amount=1).count() == COSTS - 1


def test_a_cost_on_a_later_page_is_saved(olga, program):
    form = open_form(olga, program, "?costs-page=68")
    assert form["costs-0-month"] == "2139-08"
    assert send_form(olga, program, form, **{"costs-0-amount": "2", "costs-1-DELETE": "on"}).status_code == 302
    assert [f"{cost.month:%Y-%m}" for cost in program.costs.filter(amount=2)] == ["2139-08"]
    assert program.costs.count() == COSTS - 1


def test_a_row_is_saved_though_others_came_before_it_meanwhile(olga, program):
    form = open_form(olga, program, "?costs-page=2")
    month = form["costs-0-month"]
    for _ in range(30):
        factories.cost(program, month=date(1999, 1, 1))
    assert send_form(olga, program, form, **{"costs-0-amount": "2"}).status_code == 302
    assert [f"{cost.month:%Y-%m}" for cost in program.costs.filter(amount=Decimal(2))] == [month]


def test_a_new_cost_is_added_on_any_page(olga, program):
    form = open_form(olga, program, "?costs-page=3")
    new = {"costs-TOTAL_FORMS": "26", "costs-25-month": "2026-06", "costs-25-amount": "7"}
    assert send_form(olga, program, form, **new).status_code == 302
    assert program.costs.count() == COSTS + 1


def test_the_pages_of_rows_are_links_that_say_where_they_lead(olga, program):
    page = html.fromstring(olga.get(change_url(program) + "?costs-page=2").content)
    (links,) = page.xpath("//nav[@aria-label='Pages of period costs']")
    assert links.xpath(".//a/@href") == ["?costs-page=1", "?costs-page=3"]
    assert "Page 2 of 68 (1700 in all)" in " ".join(links.text_content().split())


def test_the_number_of_queries_does_not_grow_with_the_costs(olga, program):
    olga.get(change_url(program))  # Reads what the process keeps, such as content types.
    with CaptureQueriesContext(connection) as many:
        olga.get(change_url(program))
    ProgramCost.objects.filter(month__year__gt=2001).delete()
    with CaptureQueriesContext(connection) as few:
        olga.get(change_url(program))
    assert len(many) == len(few)


def test_a_form_with_too_many_fields_says_so_in_words(olga, program, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 100
    response = send_form(olga, program, {f"field-{number}": "" for number in range(101)})
    assert response.status_code == 400
    shown = pages.text(response)
    assert "This form has more than 100 fields" in shown
    assert "Nothing was saved" in shown


def test_a_form_with_too_much_text_says_so_in_words(olga, program, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
    response = send_form(olga, program, {"name": "x" * 1_100_000})
    assert response.status_code == 413
    assert "1 MB" in pages.text(response)


@pytest.mark.parametrize("count", ["INITIAL", "TOTAL"])
@pytest.mark.parametrize("said", ["-1", "", "x", "²", "1.5", "2001", "9" * 12, "9" * 30])
def test_a_form_that_cannot_hold_so_many_rows_is_refused_and_not_counted_out(olga, program, count, said):
    form = open_form(olga, program)
    response = send_form(olga, program, form, **{f"costs-{count}_FORMS": said, "costs-0-amount": "2"})
    assert response.status_code == 400
    assert "It came incomplete or damaged. Nothing was saved." in pages.text(response)
    assert program.costs.filter(amount=1).count() == COSTS


def test_a_form_that_says_it_opened_more_rows_than_it_holds_is_refused(olga, program):
    form = open_form(olga, program)
    assert send_form(olga, program, form, **{"costs-INITIAL_FORMS": "26"}).status_code == 400
    del form["costs-TOTAL_FORMS"]
    assert send_form(olga, program, form).status_code == 400


@pytest.mark.parametrize("said", ["0", "-1", "x", "²", "①", "9" * 20, "9" * 5000])
def test_a_page_of_rows_that_is_none_is_the_first(olga, program, said):
    form = open_form(olga, program, f"?costs-page={said}")
    assert form["costs-0-month"] == "2000-01"
    changed = send_form(olga, program, form, **{"costs-page": said, "costs-0-amount": "2"})
    assert changed.status_code == 302
    assert program.costs.filter(amount=2).count() == 1


def test_any_other_request_that_cannot_be_read_says_so(olga, program):
    response = olga.post(change_url(program), b"broken", content_type="multipart/form-data")
    assert response.status_code == 400
    assert "The request could not be read" in pages.text(response)
