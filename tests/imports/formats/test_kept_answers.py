"""A file stays read as it was: what another file with its headers taught since goes behind its own answers."""

from __future__ import annotations

import pytest

from mobjects.imports import error_file, service
from mobjects.models import Import, ImportFix, ImportState
from tests.imports.running import checked, done, written

pytestmark = pytest.mark.django_db
HEADERS = "External ID,Name,CloseDate,Amount\n"


def values(imported: Import) -> list[dict]:
    return list(imported.found.order_by("number").values_list("data", flat=True))


def error_text(imported: Import) -> str:
    return b"".join(error_file.iter_error_file(imported, list(error_file.iter_error_rows(imported)))).decode()


def test_a_corrected_file_is_read_as_the_one_it_corrects():
    first = checked(f"{HEADERS}A1,x,28/11/2026,1\nA2,x,03/04/2026,oops\n".encode())
    written(checked(f"{HEADERS}B1,x,11/28/2026,1\n".encode(), "b.csv"))
    corrected = checked(error_text(first).replace("oops", "5").encode(), "corrected.csv")
    assert corrected.correction_of == first
    assert [each["close_date"] for each in values(corrected)] == ["2026-04-03"]


@pytest.mark.parametrize(
    ("remembered", "given", "read"),
    [
        ("28/11/2026,1", "05/13/2026,2", {"close_date": "2026-05-13"}),
        ("11/28/2026,1", "13.05.2026,2", {"close_date": "2026-05-13"}),
        ('2026-01-01,"1.604,47"', '2026-01-02,"1,604.47"', {"amount": "1604.47"}),
    ],
)
def test_a_file_of_which_each_value_can_be_read_in_one_way_only_is_read_so_whatever_is_remembered(
    remembered, given, read
):
    written(checked(f"{HEADERS}A1,x,{remembered}\n".encode(), "memory.csv"))
    other = checked(f"{HEADERS}B1,x,{given}\n".encode(), "other.csv")
    assert not other.counts["error"]
    assert values(other)[0].items() >= read.items()


def test_a_file_is_read_as_before_when_it_is_checked_again():
    written(checked(f"{HEADERS}Z,x,28/11/2026,1\n".encode(), "memory.csv"))
    doubtful = checked(f"{HEADERS}A1,x,03/04/2026,oops\n".encode(), "a.csv")
    written(checked(f"{HEADERS}B1,x,11/28/2026,1\n".encode(), "b.csv"))
    ImportFix.objects.create(imported=doubtful, column="Amount", value="oops", replacement="5")
    service.request_check(doubtful, enqueue=False)
    done(doubtful, ImportState.REVIEW)
    assert [each["close_date"] for each in values(doubtful)] == ["2026-04-03"]


def test_a_file_that_was_not_written_teaches_nothing():
    written(checked(f"{HEADERS}A1,x,28/11/2026,1\n".encode(), "memory.csv"))
    wrong = checked(f"{HEADERS}B1,x,11/28/2026,1\n".encode(), "wrong.csv")
    assert not wrong.counts["error"]
    doubtful = checked(f"{HEADERS}C1,x,03/04/2026,1\n".encode(), "usual.csv")
    assert [each["close_date"] for each in values(doubtful)] == ["2026-04-03"]


@pytest.mark.parametrize("amount", ["1.604,47", "1,604.47"])
def test_what_was_typed_in_the_review_means_the_same_in_the_error_file(amount):
    headers = "External ID,Name,CloseDate,Amount,Quantity\n"
    first = checked(f'{headers}A1,x,2026-01-01,"{amount}",1\nA2,x,bad,5,low\n'.encode())
    ImportFix.objects.create(imported=first, column="Quantity", value="low", replacement="1.500")
    service.request_check(first, enqueue=False)
    done(first, ImportState.REVIEW)
    corrected = checked(error_text(first).replace("bad", "2026-02-02").encode(), "corrected.csv")
    assert [each["quantity"] for each in values(corrected)] == ["1.5000"]


def test_a_percentage_typed_for_a_file_of_fractions_stays_one():
    first = checked(b"External ID,Name,Probability,CloseDate\nA1,x,0.8,2026-01-01\nA2,x,low,bad\n", "p.csv")
    first.formats = {"probability": "fraction"}
    first.save()
    ImportFix.objects.create(imported=first, column="Probability", value="low", replacement="1")
    service.request_check(first, enqueue=False)
    done(first, ImportState.REVIEW)
    corrected = checked(error_text(first).replace("bad", "2026-02-02").encode(), "corrected.csv")
    assert [each["probability"] for each in values(corrected)] == ["1"]
