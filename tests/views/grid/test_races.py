"""A grid that is saved at the same moment as a form, a pull or another grid: nothing is overwritten unseen."""

from __future__ import annotations

import json
from datetime import date

import pytest

from mobjects.imports.writing.commit import CHANGED_SINCE
from mobjects.marketo.types import Kind
from mobjects.models import ProgramCost
from tests import factories
from tests.factories import fresh
from tests.imports.rows import changed, checked, commit, left
from tests.support import memory
from tests.support.admin_forms import browser_of, open_form, send_form
from tests.support.concurrent import concurrently, postgresql
from tests.support.memory import Memory
from tests.support.pulls import in_step, pull

pytestmark = [
    postgresql,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("groups", "marketo_settings", "redis_url"),
]

SAVING = 'UPDATE "mobjects_opportunity"'


@pytest.fixture
def olga():
    return browser_of(factories.user("olga", group="operator"))


@pytest.fixture
def ben():
    return browser_of(factories.user("ben", group="operator"))


def save(client, record, cells, grid="opportunity"):
    sent = json.dumps({"records": {record.pk: cells}})
    return client.post(f"/admin/grid/{grid}/save/", sent, content_type="application/json").json()["records"][0]


def test_a_cell_that_a_form_saves_at_once_is_asked_about(olga, ben):
    record = factories.opportunity(stage="New")
    form = open_form(olga, record)
    with concurrently(lambda: save(ben, record, {"stage": ["New", "Lost"]}), before=SAVING) as given:
        assert send_form(olga, record, form, stage="Won").status_code == 302
    assert given[0]["outcome"] == "conflict"
    assert given[0]["clashes"][0]["now"] == fresh(record).stage == "Won"


def test_of_two_grids_that_save_other_cells_at_once_both_are_kept(olga, ben):
    record = factories.opportunity(stage="New")
    with concurrently(lambda: save(ben, record, {"next_step": ["", "Call"]}), before=SAVING) as given:
        assert save(olga, record, {"stage": ["New", "Won"]})["outcome"] == "saved"
    assert given[0]["outcome"] == "saved"
    assert (fresh(record).stage, fresh(record).next_step) == ("Won", "Call")


def test_a_cell_that_a_pull_writes_at_once_is_asked_about(olga):
    record = in_step(factories.opportunity(marketo_id=71, stage="New"))
    with concurrently(lambda: save(olga, record, {"stage": ["New", "Lost"]}), before=SAVING) as given:
        pull(Memory(memory.opportunity(71, Stage="Won")), Kind.OPPORTUNITY)
    assert given[0]["outcome"] == "conflict"
    assert fresh(record).stage == "Won"


def test_a_cell_that_an_import_writes_at_once_is_asked_about_and_others_are_kept(olga):
    asked, kept = (factories.opportunity(stage="New", next_step="") for _ in range(2))
    imported = checked("opportunities", *(changed(each, stage=("New", "Won")) for each in (asked, kept)))

    def type_into_both():
        return save(olga, asked, {"stage": ["New", "Lost"]}), save(olga, kept, {"next_step": ["", "Call"]})

    # The rows are locked, and not written yet.
    with concurrently(type_into_both, before="WITH r AS MATERIALIZED") as given:
        commit(imported)
    (refused, saved), (clash,) = given[0], given[0][0]["clashes"]
    assert (refused["outcome"], clash["now"], fresh(asked).stage) == ("conflict", "Won", "Won")
    assert (saved["outcome"], saved["cells"]["stage"]) == ("saved", "Won")
    assert (fresh(kept).stage, fresh(kept).next_step) == ("Won", "Call")
    assert save(olga, asked, {"stage": [clash["now"], "Lost"]})["outcome"] == "saved"


def test_a_row_of_an_import_that_waits_for_a_grid_is_left_and_said_to_be(olga):
    record = factories.opportunity(stage="New", next_step="")
    imported = checked("opportunities", changed(record, stage=("New", "Won"), next_step=("", "Call")))
    with concurrently(lambda: commit(imported), before=SAVING):
        assert save(olga, record, {"stage": ["New", "Lost"]})["outcome"] == "saved"
    assert (fresh(record).stage, fresh(record).next_step) == ("Lost", "")
    assert left(imported) == {2: CHANGED_SINCE}


def test_two_who_set_the_cost_of_a_month_at_once_make_one_cost(olga, ben):
    program = factories.program()
    cells = {"2026-06": ["", "5"]}
    with concurrently(
        lambda: save(ben, program, {"2026-06": ["", "7"]}, "months"), before='INSERT INTO "mobjects_programcost"'
    ) as given:
        assert save(olga, program, cells, "months")["outcome"] == "saved"
    assert given[0]["outcome"] == "conflict"
    assert list(ProgramCost.objects.values_list("month", "amount")) == [(date(2026, 6, 1), 5)]
