"""Exporting on the command line."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from mobjects.models import Download, Opportunity
from tests import factories

pytestmark = pytest.mark.django_db

PROGRAM = "Marketo ID,Name,Type,Workspace,Channel,Revision\r\n7,'=Seoul,,,,1\r\n"


def run(*args, **options):
    out = io.StringIO()
    call_command("export_mobjects", *args, stdout=out, no_color=True, **options)
    return out.getvalue()


def test_file_is_written_and_logged(tmp_path):
    factories.program(marketo_id=7, name="=Seoul")
    path = tmp_path / "out.csv"
    assert run("programs", str(path)) == f"1 rows written to {path}\n"
    assert path.read_bytes() == b"\xef\xbb\xbf" + PROGRAM.encode()
    log = Download.objects.get()
    assert (log.source, log.rows, log.format, log.user) == ("command", 1, "csv", None)


def test_json_is_written(tmp_path):
    factories.program(marketo_id=7, name="서울")
    path = tmp_path / "out.json"
    run("programs", str(path), columns="Name")
    assert json.loads(path.read_text()) == [{"Marketo ID": 7, "Name": "서울"}]


def test_stdout_is_csv_without_a_mark():
    factories.program(marketo_id=7, name="=Seoul")
    assert run("programs", "-") == PROGRAM
    assert Download.objects.get().rows == 1


def test_stdout_is_utf_8_whatever_the_terminal(capsysbinary):
    factories.program(name="서울")
    call_command("export_mobjects", "programs", "-")
    assert "서울".encode() in capsysbinary.readouterr().out


def test_unknown_column_ends_with_code_2(tmp_path):
    with pytest.raises(CommandError, match=r"There is no column “Nmae”. Known columns: Marketo ID, Name") as caught:
        run("programs", str(tmp_path / "out.csv"), columns="Nmae,Type")
    assert caught.value.returncode == 2


@pytest.mark.parametrize(("name", "words"), [("no/out.csv", "cannot be written"), ("out.pdf", "neither CSV")])
def test_file_that_cannot_be_written_ends_with_code_2(name, words, tmp_path):
    with pytest.raises(CommandError, match=words) as caught:
        run("programs", str(tmp_path / name))
    assert caught.value.returncode == 2


def test_value_that_does_not_fit_ends_with_code_1_and_leaves_the_old_file(tmp_path):
    path = tmp_path / "out.xlsx"
    path.write_bytes(b"before")
    Opportunity.objects.create(name="x", external_id="A", description="y" * 40_000)
    with pytest.raises(CommandError, match="Export as CSV") as caught:
        run("opportunities", str(path))
    assert caught.value.returncode == 1
    assert path.read_bytes() == b"before"
    assert [each.name for each in tmp_path.iterdir()] == ["out.xlsx"]
