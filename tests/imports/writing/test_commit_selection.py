"""Syncing what an import wrote."""

from __future__ import annotations

import pytest

from mobjects.imports.writing import undo as undoing
from mobjects.models import Kind
from mobjects.presentation import job_text
from mobjects.sync.content.payload import KeyFields
from mobjects.sync.send.preview.forecast import forecast_groups
from mobjects.sync.send.selection import SyncSelection, candidate_records
from tests import factories
from tests.imports.rows import changed, checked, commit, new

pytestmark = pytest.mark.django_db


def test_a_selection_by_import_finds_what_it_wrote():
    record = factories.opportunity(marketo_id=64)
    factories.opportunity()
    imported = commit(checked("opportunities", changed(record, stage=("", "Won")), new(external_id="N", name="New")))
    selection = SyncSelection(kinds=(Kind.OPPORTUNITY,), of_import=imported.pk)
    assert [found.external_id for found in candidate_records(Kind.OPPORTUNITY, selection)] == [record.external_id, "N"]
    assert {(group.operation.value, group.count) for group in forecast_groups(selection, KeyFields())} == {
        ("UPDATE", 1),
        ("INSERT", 1),
    }


def test_a_selection_by_an_import_of_costs_finds_the_programs():
    program, other = factories.program(), factories.program(marketo_id=1002)
    link = str(program.pk)
    rows = [new(program_id=link, month="2026-06-01", amount=amount) for amount in ("1", "2")]
    imported = commit(checked("program-costs", *rows))
    selection = SyncSelection(kinds=(Kind.PROGRAM,), of_import=imported.pk)
    assert list(candidate_records(Kind.PROGRAM, selection)) == [program]
    assert other.is_dirty
    assert not candidate_records(Kind.OPPORTUNITY, selection).exists()


def test_what_was_undone_is_not_found_but_what_was_left_alone_is():
    records = [factories.opportunity(stage="A") for _ in range(2)]
    imported = commit(checked("opportunities", *(changed(record, stage=("A", "B")) for record in records)))
    records[1].refresh_from_db()
    records[1].stage = "C"
    records[1].save()
    undoing.undo_import(imported, lambda number: None)
    selection = SyncSelection(kinds=(Kind.OPPORTUNITY,), of_import=imported.pk)
    assert list(candidate_records(Kind.OPPORTUNITY, selection)) == [records[1]]


def test_a_selection_by_import_is_kept_and_older_ones_are_still_read():
    selection = SyncSelection(kinds=(Kind.ROLE,), of_import=12)
    assert SyncSelection.from_json(selection.to_json()) == selection
    older = selection.to_json()
    del older["of_import"]
    assert SyncSelection.from_json(older) == SyncSelection(kinds=(Kind.ROLE,))


def test_a_selection_by_import_in_words():
    kept = SyncSelection(kinds=(Kind.ROLE,), of_import=12).to_json()
    assert job_text.selection_text(kept) == "The changed records of import 12"
    assert job_text.selection_text({**kept, "resend": True}) == "The records of import 12, unchanged ones too"
