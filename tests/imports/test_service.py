"""What people ask of an import, and what they are told when it is not the time for it."""

from __future__ import annotations

import io

import pytest
from django.db import connection
from django.utils import timezone

from mobjects.imports import runner, service
from mobjects.imports.lifecycle import InvalidState
from mobjects.imports.service import Correction
from mobjects.models import (
    CustomField,
    Import,
    ImportFix,
    ImportPart,
    ImportSource,
    ImportState,
    Opportunity,
    SavedMapping,
)
from mobjects.spreadsheets.types import FileRefused, ReadOptions
from tests import factories

DECIDED = b"External ID,Name\nA,Alpha\nB,Beta\n"
OPEN = b"External ID,Betrag\nA,1.50\n"


def started(data=DECIDED, kind="opportunities", name="a.csv", **options):
    asked = {"user": None, "username": "olga", "source": ImportSource.ADMIN, "enqueue": False, **options}
    return service.start_import(kind, io.BytesIO(data), name, **asked)


def reviewed(data=DECIDED, **options):
    imported = started(data, **options)
    runner.run_import(imported)
    assert imported.state == ImportState.REVIEW, imported.problem
    return imported


def committed(data=DECIDED):
    imported = reviewed(data)
    service.request_commit(imported, "valid", overwrite=False, user=None, enqueue=False)
    runner.run_import(imported)
    assert imported.state == ImportState.COMMITTED, imported.problem
    return imported


def in_state(imported, state, **values):
    Import.objects.filter(pk=imported.pk).update(state=state, **values)
    imported.refresh_from_db()
    return imported


def as_checked(state=ImportState.REVIEW, **values):
    """An import in some state, without the work that led there."""
    return in_state(started(), state, **{"checked_at": timezone.now(), "mode": "valid", **values})


# --- uploading ---


@pytest.mark.django_db
def test_a_file_whose_columns_are_all_known_is_checked_at_once():
    user = factories.user("olga")
    imported = started(user=user, username="", reason="quarter's end", pasted=True)
    assert imported.state == ImportState.CHECKING
    assert (imported.username, imported.user, imported.reason, imported.pasted) == ("olga", user, "quarter's end", True)
    assert (imported.format, imported.delimiter, imported.headers) == ("csv", ",", ["External ID", "Name"])
    assert imported.encoding
    assert imported.samples == [["A", "B"], ["Alpha", "Beta"]]
    assert imported.mapping == ["External ID", "Name"]
    assert imported.step_at is not None
    assert b"".join(bytes(part.data) for part in imported.parts.all()) == DECIDED


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (OPEN, "Column “Betrag” is not matched yet"),
        (b"Name\nA\n", "The file lacks a key column"),
        (b"External ID,Name,Name\nA,B,C\n", "2 columns of the file mean “Name”"),
    ],
)
def test_a_file_with_an_open_column_waits_for_a_person(data, words):
    imported = started(data)
    assert imported.state == ImportState.MAPPING
    assert any(said.startswith(words) for said in service.column_problems(imported))
    with pytest.raises(InvalidState, match=words):
        service.request_check(imported)


@pytest.mark.django_db
def test_what_else_is_to_be_said_can_be_said_before_the_check():
    assert started(check=False).state == ImportState.MAPPING


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"", "a.csv", "The file is empty."),
        (b"x", "a.xlsx", "workbook"),
        (b"External ID,,Name\nA,B,C\n", "a.csv", "Column B holds values (row 2) but has no name"),
        (b"x", "a.pdf", "neither CSV nor a workbook"),
    ],
)
def test_an_unreadable_file_is_kept_with_the_reason(data, name, words):
    imported = started(data, name=name)
    imported.refresh_from_db()
    assert imported.state == ImportState.REFUSED
    assert words in imported.problem
    assert b"".join(bytes(part.data) for part in imported.parts.all()) == data


@pytest.mark.django_db
def test_a_file_that_is_too_large_is_not_kept(settings):
    settings.IMPORT_MAX_MB = 1
    with pytest.raises(FileRefused, match="larger than 1 MB"):
        started(b"x" * 1_000_001)
    assert not Import.objects.exists()
    assert not ImportPart.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("C:\\Users\\me\\Q1.csv", "Q1.csv"),
        ("../../etc/Q1.csv", "Q1.csv"),
        (f"{'ä' * 300}.csv", f"{'ä' * 251}.csv"),
        ("nul\0.csv", "nul.csv"),
    ],
)
def test_names_of_files_are_kept_without_their_folders(given, kept):
    assert started(name=given).file_name == kept


@pytest.mark.django_db
def test_a_file_can_be_read_as_a_person_says():
    text = "External ID,Name\nA,서울\n".encode("cp949")
    imported = started(text, reading=ReadOptions("csv", "cp949"))
    runner.run_import(imported)
    assert (imported.encoding, imported.state) == ("cp949", ImportState.REVIEW)
    assert imported.samples[1] == ["서울"]


@pytest.mark.django_db
def test_the_same_file_again_is_noticed_and_nothing_else():
    first, other = started(), started(DECIDED + b"C,Gamma\n")
    started(b"Program ID,Type,Value\n1,A,B\n", kind="program-tags")
    second = started()
    assert list(service.same_file_imports(second)) == [first]
    assert list(service.same_file_imports(other)) == []
    third = started()
    service.discard_import(first)
    assert list(service.same_file_imports(third)) == [second]


# --- corrections ---


@pytest.mark.django_db
def test_the_error_file_of_an_import_is_a_correction_of_it():
    first = started(OPEN)
    service.set_columns(first, ["External ID", "Amount"], {"Name": "Same"})
    # Somebody mapped such headers in another way since.
    other = started(OPEN)
    service.set_columns(other, ["External ID", ""], {"Name": "Other"})
    service.request_check(other, enqueue=False)
    again = started(f'External ID,Betrag,Problems of import {first.pk}\nA,"1,5",no number\n'.encode())
    assert again.correction_of == first
    assert again.mapping == ["External ID", "Amount", ""]
    assert again.constants == {"Name": "Same"}
    assert again.state == ImportState.CHECKING


@pytest.mark.django_db
def test_the_error_file_of_another_kind_or_of_nothing_is_no_correction():
    first = started(b"Marketo ID,Name\n1,A\n", kind="programs")
    for number in (first.pk, first.pk + 1000, "9" * 18):
        again = started(f"External ID,Name,Problems of import {number}\nA,B,why\n".encode())
        assert again.correction_of is None
        assert again.mapping == ["External ID", "Name", ""]


# --- columns ---


@pytest.mark.django_db
def test_columns_are_chosen_checked_and_remembered():
    imported = started(OPEN)
    assert service.set_columns(imported, ["External ID", None], {}) != []
    assert service.set_columns(imported, ["External ID", "Amount"], {"Name": "N"}) == []
    assert not SavedMapping.objects.exists()
    service.request_check(imported, enqueue=False)
    assert imported.state == ImportState.CHECKING
    assert SavedMapping.objects.get().mapping == {"External ID": "External ID", "Betrag": "Amount"}
    again = started(OPEN + b"B,2\n")
    assert (again.state, again.mapping) == (ImportState.CHECKING, ["External ID", "Amount"])
    assert again.constants == {"Name": "N"}


@pytest.mark.django_db
def test_columns_can_be_changed_from_the_review():
    imported = reviewed()
    assert service.set_columns(imported, ["External ID", "Stage"], {}) == []
    assert imported.state == ImportState.MAPPING
    with pytest.raises(InvalidState):
        service.request_commit(imported, "all", overwrite=False, user=None)
    service.request_check(imported, enqueue=False)
    assert (imported.rows, imported.counts, imported.checked_at) == (0, {}, None)
    runner.run_import(imported)
    assert imported.counts.get("error") == 2  # A new opportunity needs a name.


@pytest.mark.django_db
def test_a_file_can_be_read_again_in_another_way():
    imported = started(b"External ID;Name,x\nA;B,1\n", reading=ReadOptions("csv", "", ","))
    assert imported.state == ImportState.MAPPING
    left = service.set_columns(imported, imported.mapping, {}, ReadOptions("csv", imported.encoding, ";"))
    assert imported.headers == ["External ID", "Name,x"]
    assert imported.mapping == ["External ID", None]
    assert len(left) == 1


@pytest.mark.django_db
def test_reading_it_in_a_way_that_fails_changes_nothing():
    imported = started("External ID,Name\nA,é\n".encode())
    in_state(imported, ImportState.MAPPING)
    with pytest.raises(FileRefused):
        service.set_columns(imported, imported.mapping, {}, ReadOptions("csv", "utf-16", ","))
    imported.refresh_from_db()
    assert (imported.state, imported.encoding, imported.problem) == (ImportState.MAPPING, "utf-8", "")


@pytest.mark.django_db
def test_a_refused_file_can_be_read_in_another_way_and_goes_on():
    imported = started("External ID,Name\nA,é\n".encode(), reading=ReadOptions("csv", "utf-16"))
    assert imported.state == ImportState.REFUSED
    with pytest.raises(InvalidState, match="Say how to read it"):
        service.set_columns(imported, [], {})
    assert service.set_columns(imported, [], {}, ReadOptions("csv")) == []
    assert (imported.state, imported.problem, imported.mapping) == (ImportState.MAPPING, "", ["External ID", "Name"])


@pytest.mark.django_db
def test_a_remembered_column_that_is_gone_is_asked_about():
    field = CustomField.objects.create(kind="Opportunity", name="dealSize", label="Deal")
    imported = started(OPEN)
    service.set_columns(imported, ["External ID", "dealSize"], {})
    service.request_check(imported, enqueue=False)
    field.delete()
    assert started(OPEN).state == ImportState.MAPPING


# --- fixes ---


@pytest.mark.django_db
def test_fixes_replace_each_other_and_make_a_check_necessary():
    imported = as_checked()
    service.correct_import(imported, [Correction("Name", "Alpha", "First")], username="emil")
    service.correct_import(imported, [Correction("Name", "Alpha", "Second")], username="olga")
    fix = imported.fixes.get()
    service.correct_import(imported, [Correction("Name", "Alpha", "Only here", number=2)])
    assert ImportFix.objects.count() == 2
    assert ImportFix.objects.get(number=None).replacement == "Second"
    assert imported.state == ImportState.REVIEW
    with pytest.raises(InvalidState, match="Check the file again"):
        service.request_commit(imported, "all", overwrite=False, user=None)
    in_state(imported, ImportState.REVIEW, checked_at=timezone.now())
    service.correct_import(imported, (), removed=[fix.pk])
    assert ImportFix.objects.count() == 1
    with pytest.raises(InvalidState, match="Check the file again"):
        service.request_commit(imported, "all", overwrite=False, user=None)


@pytest.mark.django_db
def test_a_fix_of_another_import_is_not_removed():
    imported = as_checked()
    service.correct_import(imported, [Correction("Name", "Alpha", "First")])
    service.correct_import(as_checked(), (), removed=[imported.fixes.get().pk])
    assert ImportFix.objects.count() == 1


# --- committing ---


@pytest.mark.django_db
def test_all_or_nothing_is_refused_while_rows_have_errors():
    imported = reviewed(b"External ID,Name,Amount\nA,Alpha,x\nB,Beta,1\n")
    with pytest.raises(InvalidState, match="1 row with errors"):
        service.request_commit(imported, "all", overwrite=True, user=None)
    with pytest.raises(InvalidState, match="Choose"):
        service.request_commit(imported, "some", overwrite=True, user=None)
    service.request_commit(imported, "valid", overwrite=False, user=None, enqueue=False)
    runner.run_import(imported)
    assert list(Opportunity.objects.values_list("external_id", flat=True)) == ["B"]


@pytest.mark.django_db
def test_all_or_nothing_is_refused_while_rows_conflict_unless_they_are_overwritten():
    imported = as_checked(counts={"conflict": 2})
    with pytest.raises(InvalidState, match="2 rows in conflict"):
        service.request_commit(imported, "all", overwrite=False, user=None)
    service.request_commit(imported, "all", overwrite=True, user=None, enqueue=False)
    assert imported.state == ImportState.COMMITTING


@pytest.mark.django_db
def test_who_presses_is_kept():
    imported = reviewed()
    service.request_commit(imported, "all", overwrite=False, user=factories.user("emil"), enqueue=False)
    runner.run_import(imported)
    service.request_undo(imported, factories.user("ida"), enqueue=False)
    assert (imported.username, imported.committed_by, imported.undone_by) == ("olga", "emil", "ida")


@pytest.mark.django_db(transaction=True)
def test_of_two_who_press_at_once_one_gets_it(queue):
    imported = as_checked()
    before = [Import.objects.get(pk=imported.pk)]

    def in_between(execute, sql, params, many, context):
        # The moment at which the first one has looked and not yet written: rules are asked in between.
        if before and "mobjects_approvalrule" in sql:
            service.request_commit(before.pop(), "all", overwrite=True, user=None, username="ida")
        return execute(sql, params, many, context)

    with (
        connection.execute_wrapper(in_between),
        pytest.raises(InvalidState, match="The rows are being written"),
    ):
        service.request_commit(imported, "valid", overwrite=False, user=None, username="emil")
    imported.refresh_from_db()
    assert (imported.committed_by, imported.mode, imported.overwrite) == ("ida", "all", True)
    assert len(queue.job_ids) == 1


@pytest.mark.django_db
def test_a_discarded_import_keeps_its_file():
    imported = committed()
    other = started(DECIDED + b"C,D\n")
    service.discard_import(other)
    assert other.parts.exists()
    with pytest.raises(InvalidState, match="The rows are written"):
        service.discard_import(imported)
