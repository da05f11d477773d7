"""What a file holds: told by its headers, and changed where that was wrong."""

from __future__ import annotations

import io

import pytest

from mobjects.imports import column_mapping, service
from mobjects.imports.lifecycle import InvalidState
from mobjects.models import Import, ImportSource, ImportState, SavedMapping
from mobjects.resources import RESOURCES
from tests import factories
from tests.imports import running

pytestmark = pytest.mark.django_db

HEADERS = {
    "programs": "Marketo ID,Name,Workspace",
    "program-costs": "Program ID,Month,Amount",
    "program-tags": "Program ID,Type,Value",
    "opportunities": "External ID,Name,Stage,Amount",
    "roles": "Opportunity,Person ID,Role",
}


def uploaded(text, kind="programs", kinds=tuple(RESOURCES)):
    return service.start_import(
        kind,
        io.BytesIO(text.encode()),
        "in.csv",
        user=None,
        username="ann",
        source=ImportSource.ADMIN,
        enqueue=False,
        kinds=kinds,
    )


@pytest.mark.parametrize(("kind", "headers"), HEADERS.items())
def test_headers_tell_the_kind(kind, headers):
    found = uploaded(f"{headers}\n1,2,3,4\n".replace("4\n", "4\n" if headers.count(",") == 3 else "\n"))
    assert (found.kind, found.state) == (kind, ImportState.CHECKING)
    assert found.notes == [f"Its headers say that the file holds {found.get_kind_display().lower()}."]


@pytest.mark.parametrize(
    "headers", [["Marketo ID", "Name"], ["Deal", "Money"], ["Name"], [], ["Problems of import 99", "x"]]
)
def test_where_they_do_not_nothing_is_guessed(headers):
    assert column_mapping.guess_kind(headers) == ""


def test_a_file_of_no_kind_is_kept_and_waits():
    found = uploaded("Marketo ID,Name\n1,x\n")
    assert (found.kind, found.state) == ("programs", ImportState.MAPPING)
    assert found.notes == ["Its headers do not tell what the file holds: say so."]
    service.set_kind(found, "opportunities")
    again = Import.objects.get()
    assert (again.kind, again.mapping, again.state) == ("opportunities", ["Marketo ID", "Name"], ImportState.MAPPING)


def test_headers_that_were_mapped_before_tell_it_as_well():
    first = uploaded("Deal,Money\nA,1\n", "opportunities", kinds=())
    service.set_columns(first, ["External ID", "Amount"], {})
    service.request_check(first, enqueue=False)
    assert SavedMapping.objects.count() == 1
    assert column_mapping.guess_kind(["Money", "Deal"]) == "opportunities"


def test_an_error_file_is_of_the_kind_of_its_import():
    first = uploaded("Deal,Money\nA,1\n", "roles", kinds=())
    assert column_mapping.guess_kind(["Deal", "Money", f"Problems of import {first.pk}"]) == "roles"


def test_a_kind_that_one_may_not_import_is_said_but_not_chosen():
    found = uploaded(f"{HEADERS['roles']}\n1,2,3\n", kinds=("programs",))
    assert (found.kind, found.state) == ("programs", ImportState.MAPPING)
    assert "look like those of person roles" in found.notes[0]


def test_a_wrong_kind_is_noticed_and_changed_with_the_file_kept():
    factories.program(marketo_id=1)
    text = f"{HEADERS['program-costs']}\n1,2026-06,5\n"
    found = uploaded(text, "program-tags", kinds=())
    assert found.state == ImportState.MAPPING
    assert found.notes == ["The headers look like those of period costs. If that is what the file holds, say so."]
    service.correct_import(found, [service.Correction("Type", "x", "y")])
    assert service.set_kind(found, "program-costs") == []
    assert (found.kind, found.notes, found.fixes.count()) == ("program-costs", [], 0)
    service.request_check(found, enqueue=False)
    running.done(found, ImportState.REVIEW)
    assert found.counts["new"] == 1


def test_it_can_be_changed_in_the_review_but_not_later():
    found = uploaded("Marketo ID,Name,Type\n1,x,y\n", "opportunities", kinds=())
    running.done(found, ImportState.REVIEW)
    service.set_kind(found, "programs")
    service.request_check(found, enqueue=False)
    running.written(running.done(found, ImportState.REVIEW))
    with pytest.raises(InvalidState):
        service.set_kind(found, "opportunities")
    assert Import.objects.get().kind == "programs"
