"""Rows of tags that set the channels of their programs: written, left out, and taken back."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from mobjects.imports.writing import commit as committing
from mobjects.imports.writing import undo as undoing
from mobjects.imports.writing.undo_sql import REASONS
from mobjects.models import Import, ImportMode, ImportRowOutcome, Program, ProgramTag, UndoOutcome
from tests import factories
from tests.imports.rows import Data, change, changed, checked, commit, left, new, raw
from tests.support.concurrent import concurrently

pytestmark = pytest.mark.django_db

SAVED_AT = ("modified_at", "revision")
Row = tuple[ImportRowOutcome, int | None, Data, Data]


def channel(program: Program, old: str, now: str, outcome: ImportRowOutcome = ImportRowOutcome.CHANGED) -> Row:
    """A row that sets a program's channel."""
    link = {"program_id": str(program.pk)}
    return outcome, None, {**link, "channel": now}, {**link, "channel": old}


def undo(imported: Import) -> dict[str, int]:
    """Undo an import; its preview has to say the same before."""
    shown = undoing.preview_undo(imported)
    undoing.undo_import(imported, lambda number: None)
    assert imported.undone == {"restored": shown.restored, "removed": shown.removed, "left": shown.left}
    return imported.undone


def counts(restored: int = 0, removed: int = 0, left: int = 0) -> dict[str, int]:
    return {"restored": restored, "removed": removed, "left": left}


def channels() -> list[str]:
    return list(Program.objects.order_by("marketo_id").values_list("channel", flat=True))


def programs(number: int, **values: Any) -> list[Program]:
    return [factories.program(marketo_id=1001 + place, **{"channel": "Email", **values}) for place in range(number)]


# --- written ---


def test_a_channel_is_set_and_the_program_is_to_be_sent():
    program, other = programs(2)
    Program.objects.update(synced_revision=1, accepted={"Channel": "Email"})
    before = raw(program, without=(*SAVED_AT, "channel", "state"))
    imported = commit(checked("program-tags", channel(program, "Email", "Webinar")))
    assert imported.written == {"created": 0, "changed": 1, "left": 0, "channels": 1}
    moment = program.modified_at
    program.refresh_from_db()
    assert (program.channel, program.revision, program.is_dirty) == ("Webinar", 2, True)
    assert program.modified_at > moment
    assert raw(program, without=(*SAVED_AT, "channel", "state")) == before
    assert factories.fresh(other).channel == "Email"
    done = change(imported, 2)
    assert (done.record_id, done.owner_kind, done.owner_id, done.created) == (None, "Program", program.pk, False)
    assert done.revision == program.revision


def test_a_tag_whose_id_is_that_of_the_program_is_not_touched():
    program = factories.program(channel="Email")
    tag = factories.tag(program, pk=program.pk)
    before = raw(tag)
    imported = commit(checked("program-tags", channel(program, "Email", "Webinar")))
    assert raw(tag) == before
    assert undo(imported) == counts(restored=1)
    assert (raw(tag), channels()) == (before, ["Email"])


def test_channels_and_tags_of_one_program_are_written_and_taken_back_together():
    program = factories.program(channel="Email")
    tag = factories.tag(program, value="EMEA")
    rows = (
        channel(program, "Email", "Webinar"),
        changed(tag, value=("EMEA", "APAC")),
        new(program_id=str(program.pk), type="Team", value="A"),
    )
    imported = commit(checked("program-tags", *rows))
    assert imported.written == {"created": 1, "changed": 2, "left": 0, "channels": 1}
    revision = factories.fresh(program).revision
    assert [change(imported, number).revision for number in (2, 3, 4)] == [revision] * 3
    assert undo(imported) == counts(restored=2, removed=1)
    assert (channels(), list(ProgramTag.objects.values_list("type", "value"))) == (["Email"], [("Region", "EMEA")])


def test_a_conflict_is_written_only_where_that_is_wanted():
    program = factories.program(channel="Here")
    row = channel(program, "Here", "File", ImportRowOutcome.CONFLICT)
    assert commit(checked("program-tags", row)).written == {"created": 0, "changed": 0, "left": 0}
    assert channels() == ["Here"]
    assert commit(checked("program-tags", row, overwrite=True)).written["changed"] == 1
    assert channels() == ["File"]


def test_errors_and_unchanged_rows_are_not_written():
    rows = [channel(each, "Email", "Webinar", ImportRowOutcome.ERROR) for each in programs(2)]
    imported = commit(checked("program-tags", *rows, (ImportRowOutcome.UNCHANGED, None, {}, {})))
    assert (imported.written, channels()) == ({"created": 0, "changed": 0, "left": 0}, ["Email", "Email"])


def test_a_tag_that_cannot_be_written_leaves_the_channels_of_its_chunk_alone():
    first, second = programs(2)
    taken = factories.tag(first, type="Region"), factories.tag(first, type="Team")
    rows = (
        channel(first, "Email", "Webinar"),
        changed(taken[1], type=("Team", "region")),
        changed(taken[0], type=("Region", "Channel")),
        channel(second, "Email", "Fair"),
    )
    imported = commit(checked("program-tags", *rows))
    assert imported.written == {"created": 0, "changed": 2, "left": 2, "channels": 2}
    assert (channels(), list(left(imported))) == (["Webinar", "Fair"], [3, 4])


def test_channels_are_written_one_by_one_where_the_tags_around_them_are_refused():
    owners = programs(4)
    rows: list[Row] = []
    for owner in owners:
        factories.tag(owner, type="Region")
        other = factories.tag(owner, type="Team")
        rows += [changed(other, type=("Team", "REGION")), channel(owner, "Email", "Fair")]
    imported = commit(checked("program-tags", *rows))
    assert imported.written == {"created": 0, "changed": 4, "left": 4, "channels": 4}
    assert (channels(), sorted(left(imported))) == (["Fair"] * 4, [2, 4, 6, 8])


# --- left out ---


def test_a_channel_that_was_changed_since_the_check_is_left_as_it_is():
    mine, theirs = programs(2)
    rows = [channel(mine, "Email", "Webinar"), channel(theirs, "Email", "Webinar")]
    imported = checked("program-tags", *rows)
    Program.objects.filter(pk=theirs.pk).update(channel="Fair")
    commit(imported)
    assert imported.written == {"created": 0, "changed": 1, "left": 1, "channels": 1}
    assert left(imported) == {3: committing.CHANGED_SINCE}
    assert channels() == ["Webinar", "Fair"]


def test_the_channel_of_a_program_that_was_deleted_since_is_left_out():
    program = factories.program(channel="Email")
    imported = checked("program-tags", channel(program, "Email", "Webinar"))
    program.delete()
    assert left(commit(imported)) == {2: committing.LINK_GONE_SINCE.format("program")}


def test_all_or_nothing_sets_no_channel_if_one_cannot_be():
    first, second = programs(2)
    rows = [channel(first, "Email", "Webinar"), channel(second, "Fax", "Webinar")]
    imported = checked("program-tags", *rows, mode=ImportMode.ALL)
    with pytest.raises(committing.NothingWritten, match="was changed since the check"):
        commit(imported)
    assert channels() == ["Email", "Email"]


@pytest.mark.django_db(transaction=True)
def test_an_edit_of_a_channel_while_it_is_imported_is_not_lost():
    program = factories.program(channel="Email")
    imported = checked("program-tags", channel(program, "Email", "Webinar"))
    begins = 'UPDATE "mobjects_program"' if connection.vendor == "sqlite" else "WITH r AS MATERIALIZED"
    with concurrently(lambda: Program.objects.update(channel="Fair"), before=begins):
        commit(imported)
    assert channels() == ["Fair"]


# --- taken back ---


def test_a_channel_that_was_changed_since_is_left_alone_and_named():
    first, second = programs(2)
    rows = [channel(first, "Email", "Webinar"), channel(second, "Email", "Webinar")]
    imported = commit(checked("program-tags", *rows))
    Program.objects.filter(pk=first.pk).update(channel="Fair")
    [skipped] = undoing.preview_undo(imported).list_records()
    assert (skipped.number, skipped.owner_id, skipped.why) == (2, first.pk, REASONS["changed"])
    assert undo(imported) == counts(restored=1, left=1)
    assert channels() == ["Fair", "Email"]
    done = change(imported, 2)
    assert (done.undone, done.undone_note) == (UndoOutcome.LEFT, REASONS["changed"])


def test_other_changes_of_the_program_do_not_keep_its_channel_from_being_taken_back():
    program = factories.program(channel="Email")
    imported = commit(checked("program-tags", channel(program, "Email", "Webinar")))
    factories.cost(program)
    Program.objects.update(name="Renamed", synced_revision=9, revision=9, accepted={"Channel": "Webinar"})
    assert undo(imported) == counts(restored=1)
    program.refresh_from_db()
    assert (program.channel, program.name, program.is_dirty) == ("Email", "Renamed", True)


def test_the_channel_of_a_program_that_is_gone_is_told():
    program = factories.program(channel="Email")
    imported = commit(checked("program-tags", channel(program, "Email", "Webinar")))
    program.delete()
    assert [each.why for each in undoing.preview_undo(imported).list_records()] == [REASONS["gone"]]
    assert undo(imported) == counts(left=1)


@pytest.mark.django_db(transaction=True)
def test_an_edit_of_a_channel_while_its_import_is_undone_is_not_lost():
    program = factories.program(channel="Email")
    imported = commit(checked("program-tags", channel(program, "Email", "Webinar")))
    with concurrently(lambda: Program.objects.update(channel="Fair"), before='UPDATE "mobjects_program"'):
        undoing.undo_import(imported, lambda number: None)
    assert channels() == ["Fair"]
