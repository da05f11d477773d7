"""A messy real-life file: every error found in one pass, none invented, and the corrected error file loads."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from mobjects.imports import error_file
from mobjects.models import Import, ImportMode, ImportProblem, ImportProblemLevel, Opportunity
from tests import factories
from tests.imports import messy, messy_files
from tests.imports.messy import Placed, Wrong
from tests.imports.running import checked, written

pytestmark = pytest.mark.django_db(transaction=True)

BAD = (*messy.BAD_CELLS, *messy.DOUBLES, *messy.SHAPES)
ENCODINGS = {"utf-8-sig": ";", "utf-16": "\t", "cp949": ",", "cp1252": ";"}


@pytest.fixture(autouse=True)
def known():
    """The records that the file means by their keys."""
    return [factories.opportunity(**values) for values in messy.KNOWN]


def writable(encoding: str) -> list[Placed]:
    """All cases that an encoding has the letters for."""
    cases, traps = ([case for case in found if messy.can(encoding, case)] for found in (BAD, messy.TRAPS))
    return messy.place(cases, traps)


def compared(imported: Import, placed: Iterable[Placed]) -> tuple[list[Any], list[Any]]:
    """What was not found although it is wrong, and what was found although it is not."""
    missed = [wrong for each in placed for wrong in each.wrong]
    invented = []
    for problem in imported.found_problems.exclude(level=ImportProblemLevel.WARNING):
        found = next((wrong for wrong in missed if meant(problem, wrong)), None)
        if found is None:
            invented.append((problem.number, problem.column, problem.value, problem.rule))
        else:
            missed.remove(found)
    return missed, invented


def meant(problem: ImportProblem, wrong: Wrong) -> bool:
    where = (problem.level, problem.number, problem.column)
    return where == (ImportProblemLevel.ERROR, wrong.number, wrong.column) and wrong.words in problem.rule


def bad(placed: Sequence[Placed]) -> list[Placed]:
    return [each for each in placed if each.case.errors]


def corrected(rows: Sequence[list[Any]], placed: Sequence[Placed]) -> list[list[Any]]:
    """The error file as a person sends it back: the reasons still there, the cells put right."""
    header, *body = rows
    assert len(body) == len(bad(placed))
    width = len(messy.HEADERS)
    assert header[:width] == list(messy.HEADERS)
    return [header, *([*each.corrected.values(), *row[width:]] for each, row in zip(bad(placed), body, strict=True))]


def test_the_file_is_as_messy_as_it_says():
    assert len({case.kind for case in BAD}) >= 37
    assert len({case.kind for case in messy_files.XLSX_BAD}) >= 37


@pytest.mark.parametrize(("encoding", "delimiter"), ENCODINGS.items())
def test_every_error_of_a_csv_file_is_found_and_none_invented(encoding, delimiter):
    placed = writable(encoding)
    imported = checked(messy_files.to_csv(messy.table(placed), encoding, delimiter), "pipeline.csv")
    assert compared(imported, placed) == ([], [])
    assert imported.encoding == encoding
    assert imported.delimiter == delimiter
    good = [each for each in placed if not each.case.errors]
    assert imported.counts["error"] == len(placed) - len(good)
    assert imported.counts["new"] == len(good)
    assert imported.rows == len(placed)


def test_every_error_of_a_workbook_is_found_and_none_invented():
    placed = messy.place(messy_files.XLSX_BAD, messy_files.XLSX_TRAPS)
    imported = checked(messy_files.to_xlsx(messy.table(placed)), "pipeline.xlsx")
    assert compared(imported, placed) == ([], [])
    assert imported.counts["new"] == sum(not each.case.errors for each in placed)


def test_errors_name_the_cell_and_its_text():
    placed = messy.place([messy.bad("word for a date", "Close Date", "tbd", messy.DATE)])
    imported = checked(messy_files.to_csv(messy.table(placed), "utf-8", ","), "pipeline.csv")
    (problem,) = imported.found_problems.all()
    place = problem.number, problem.column, problem.position, problem.value
    assert place == (2, "CloseDate", messy.HEADERS.index("Close Date") + 1, "tbd")
    assert problem.rule == "is not a date; write YYYY-MM-DD, for example 2026-06-30."


# --- the error file ---


def written_errors(imported: Import) -> bytes:
    file = io.BytesIO()
    count = error_file.write_error_file(imported, file)
    assert count == imported.counts["error"]
    return file.getvalue()


def loads_completely(imported: Import, again: Import, placed: Sequence[Placed]) -> None:
    """The correction is known as one, has no error left, and everything is here afterwards."""
    assert again.correction_of == imported
    assert compared(again, []) == ([], [])
    assert (again.counts["error"], again.rows) == (0, len(bad(placed)))
    written(again)
    assert again.written["created"] + again.written["changed"] == len(bad(placed))
    names = set(Opportunity.objects.values_list("name", flat=True))
    assert {str(name_of(each)) for each in placed} <= names


def name_of(each: Placed) -> Any:
    name = each.corrected["Name"]
    name = str(name.value) if isinstance(name, messy_files.Native) else name
    return name.removeprefix("'") if name.startswith("'=") else name


@pytest.mark.parametrize(("encoding", "delimiter"), ENCODINGS.items())
def test_the_corrected_error_file_loads(encoding, delimiter):
    placed = writable(encoding)
    imported = written(checked(messy_files.to_csv(messy.table(placed), encoding, delimiter)), ImportMode.VALID)
    rows = messy_files.from_csv(written_errors(imported), encoding, delimiter)
    assert rows[0][-1] == f"Problems of import {imported.pk}"
    assert all(wrong.words in row[-1] for each, row in zip(bad(placed), rows[1:], strict=True) for wrong in each.wrong)
    again = checked(messy_files.to_csv(corrected(rows, placed), encoding, delimiter))
    loads_completely(imported, again, placed)


def test_the_corrected_error_file_of_a_workbook_loads():
    placed = messy.place(messy_files.XLSX_BAD, messy_files.XLSX_TRAPS)
    imported = written(checked(messy_files.to_xlsx(messy.table(placed)), "pipeline.xlsx"), ImportMode.VALID)
    rows = messy_files.from_xlsx(written_errors(imported))
    again = checked(messy_files.to_xlsx(corrected(rows, placed)), "corrected.xlsx")
    loads_completely(imported, again, placed)


def test_the_error_file_uploaded_again_as_it_is_has_the_same_errors():
    placed = messy.place(BAD, [])
    imported = written(checked(messy_files.to_csv(messy.table(placed), "utf-8", ",")), ImportMode.VALID)
    again = checked(written_errors(imported))
    assert again.correction_of == imported
    # Rows of another width were brought to the header's.
    widths = sum(each.case.wider != 0 for each in placed)
    assert again.counts["error"] >= imported.counts["error"] - widths
