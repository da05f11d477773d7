"""Importing and exporting on the command line."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from mobjects.models import Opportunity
from mobjects.resources import RESOURCES
from tests import factories

pytestmark = pytest.mark.django_db


def run(command, *args, **options):
    out, err = io.StringIO(), io.StringIO()
    call_command(command, *args, stdout=out, stderr=err, no_color=True, **options)
    return out.getvalue(), err.getvalue()


@pytest.fixture
def file(tmp_path):
    def make(text, name="in.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_text(text, encoding=encoding)
        return str(path)

    return make


def test_counts_are_printed(file):
    out, err = run("import_mobjects", "opportunities", file("External ID,Name\nA,서울\n"))
    assert (out, err) == ("imported: 1 new, 0 changed; 0 unchanged\n", "")
    assert Opportunity.objects.get().name == "서울"


def test_dry_run_changes_nothing(file):
    out, _ = run("import_mobjects", "opportunities", file("External ID,Name\nA,x\n"), dry_run=True)
    assert out == "would be imported: 1 new, 0 changed; 0 unchanged\n"
    assert not Opportunity.objects.exists()


def test_errors_go_to_stderr_and_end_with_code_1(file):
    err = io.StringIO()
    with pytest.raises(CommandError, match=r"Nothing was imported\. 1 row with errors") as caught:
        call_command("import_mobjects", "programs", file("Marketo ID,Name\nx,y\n"), stderr=err, no_color=True)
    assert caught.value.returncode == 1
    assert "row 2, Marketo ID, “x”: is not a whole number" in err.getvalue()


def test_warnings_go_to_stderr(file):
    factories.cost(factories.program(marketo_id=1))
    _, err = run("import_mobjects", "program-costs", file("Program ID,Month,Amount\n1,2026-06,7\n"))
    assert err.startswith("please check row 2, Month, “2026-06”: will be added as another cost.")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [("in.csv", "", "is empty"), ("in.xlsx", "no", "not a readable XLSX"), ("in.pdf", "x", "neither CSV nor XLSX")],
)
def test_unreadable_file_ends_with_code_2(file, name, text, words):
    with pytest.raises(CommandError, match=words) as caught:
        run("import_mobjects", "programs", file(text, name))
    assert caught.value.returncode == 2


def test_missing_file_ends_with_code_2():
    with pytest.raises(CommandError, match="No such file") as caught:
        run("import_mobjects", "programs", "/nowhere/in.csv")
    assert caught.value.returncode == 2


def test_encoding_can_be_chosen(file):
    path = file("External ID,Name\nA,서울\n", encoding="cp949")
    with pytest.raises(CommandError, match="choose the encoding"):
        run("import_mobjects", "opportunities", path)
    run("import_mobjects", "opportunities", path, encoding="cp949")
    assert Opportunity.objects.get().name == "서울"


def test_more_rows_than_an_upload_may_have(file):
    lines = "".join(f"E{number},name {number}\n" for number in range(10_001))
    out, _ = run("import_mobjects", "opportunities", file(f"External ID,Name\n{lines}"))
    assert out == "imported: 10001 new, 0 changed; 0 unchanged\n"


@pytest.mark.parametrize("kind", RESOURCES)
@pytest.mark.parametrize("name", ["out.csv", "out.xlsx"])
def test_export_is_imported_unchanged(kind, name, tmp_path):
    program = factories.program()
    factories.cost(program)
    factories.tag(program)
    factories.role(factories.opportunity(name="=서울"))
    path = str(tmp_path / name)
    assert run("export_mobjects", kind, path)[0] == f"1 rows written to {path}\n"
    assert run("import_mobjects", kind, path)[0] == "imported: 0 new, 0 changed; 1 unchanged\n"


def test_export_to_stdout_is_csv_without_a_mark():
    factories.program(marketo_id=7, name="=Seoul")
    assert run("export_mobjects", "programs", "-")[0] == "Marketo ID,Name,Type,Workspace,Channel\r\n7,'=Seoul,,,\r\n"


def test_export_to_stdout_writes_utf_8_whatever_the_terminal(capsysbinary):
    factories.program(name="서울")
    call_command("export_mobjects", "programs", "-")
    assert "서울".encode() in capsysbinary.readouterr().out


@pytest.mark.parametrize(("name", "words"), [("no/out.csv", "cannot be written"), ("out.pdf", "neither CSV nor XLSX")])
def test_export_that_cannot_be_written_ends_with_code_2(name, words, tmp_path):
    with pytest.raises(CommandError, match=words) as caught:
        run("export_mobjects", "programs", str(tmp_path / name))
    assert caught.value.returncode == 2


def test_export_of_a_value_that_does_not_fit_ends_with_code_1(tmp_path):
    Opportunity.objects.create(name="x", external_id="A", description="y" * 40_000)
    with pytest.raises(CommandError, match="Export as CSV") as caught:
        run("export_mobjects", "opportunities", str(tmp_path / "out.xlsx"))
    assert caught.value.returncode == 1


def test_control_characters_of_a_file_do_not_reach_the_terminal(tmp_path, capsys):
    path = tmp_path / "bad.csv"
    path.write_text("External ID,Name\nE-1,a\x1b[31mred\n", encoding="utf-8")
    with pytest.raises(CommandError, match="1 row with errors"):
        call_command("import_mobjects", "opportunities", str(path))
    told = capsys.readouterr().err
    assert "\x1b" not in told
    assert "U+001B" in told
