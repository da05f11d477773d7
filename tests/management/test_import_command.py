"""Importing and exporting on the command line."""

from __future__ import annotations

import getpass
import io
import re

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from mobjects.models import Import, Opportunity
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


def test_counts_are_printed_and_how_the_file_is_read(file):
    out, err = run("import_mobjects", "opportunities", file("External ID;Name\nA;서울\n"), reason="quarter's end")
    imported = Import.objects.get()
    assert out == (f"import {imported.pk}: in.csv, UTF-8, semicolon\nimported: 1 new, 0 changed; 0 unchanged\n")
    assert err == ""
    assert Opportunity.objects.get().name == "서울"
    assert (imported.state, imported.source, imported.mode) == ("committed", "command", "all")
    assert imported.username == imported.committed_by == getpass.getuser()
    assert imported.reason == "quarter's end"


def test_dry_run_changes_nothing(file):
    out, _ = run("import_mobjects", "opportunities", file("External ID,Name\nA,x\n"), dry_run=True)
    assert out.endswith("would be imported: 1 new, 0 changed; 0 unchanged\n")
    assert not Opportunity.objects.exists()
    assert Import.objects.get().state == "discarded"


def test_the_same_file_again_is_told(file):
    path = file("External ID,Name\nA,x\n")
    run("import_mobjects", "opportunities", path)
    first = Import.objects.get()
    out, err = run("import_mobjects", "opportunities", path)
    assert err == f"please check: the same file came before, as import {first.pk} (written).\n"
    assert out.endswith("imported: 0 new, 0 changed; 1 unchanged\n")


def test_the_standard_input_is_read_for_a_dash(monkeypatch):
    text = "External ID,Name\nA,서울\n".encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
    run("import_mobjects", "opportunities", "-")
    assert Opportunity.objects.get().name == "서울"
    assert Import.objects.get().file_name == "standard-input.csv"


def test_a_workbook_is_known_on_the_standard_input_too(monkeypatch, tmp_path):
    factories.program()
    path = tmp_path / "out.xlsx"
    run("export_mobjects", "programs", str(path))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes())))
    out, _ = run("import_mobjects", "programs", "-")
    assert "standard-input.xlsx, sheet “" in out
    assert out.endswith("imported: 0 new, 0 changed; 1 unchanged\n")


# --- columns ---


def test_columns_can_be_mapped_left_out_and_set(file):
    path = file("Nr=1,Betrag,Egal\nA,1.50,?\n")
    run(
        "import_mobjects",
        "opportunities",
        path,
        map=["Nr=1=external id", "Betrag=Amount"],
        leave_out=["Egal"],
        set=["Name=Same=Name"],
    )
    opportunity = Opportunity.objects.get()
    assert (opportunity.external_id, opportunity.name, str(opportunity.amount)) == ("A", "Same=Name", "1.50")


BLANKED = "External ID,Amount,Stage\nA,,\nB,,\n"


def blanked():
    for key in "AB":
        factories.opportunity(external_id=key, name=key, amount="5.00", stage="Won")


def test_blank_cells_leave_values_and_that_is_said(file):
    blanked()
    out, _ = run("import_mobjects", "opportunities", file(BLANKED))
    assert out.endswith("imported: 0 new, 0 changed; 2 unchanged. Blank cells leave 4 values as they are.\n")
    assert Opportunity.objects.filter(stage="Won", amount=5).count() == 2


@pytest.mark.parametrize(
    ("blank", "said"),
    [
        (["clear"], "2 changed; 0 unchanged. Blank cells clear 4 values."),
        (["Stage=clear"], "2 changed; 0 unchanged. Blank cells clear 2 values and leave 2 values as they are."),
        (
            ["clear", "Stage=leave"],
            "2 changed; 0 unchanged. Blank cells clear 2 values and leave 2 values as they are.",
        ),
    ],
)
def test_they_clear_values_on_request_and_these_are_counted(file, blank, said):
    blanked()
    out, _ = run("import_mobjects", "opportunities", file(BLANKED), blank=blank, dry_run=True)
    assert out.endswith(f"would be imported: 0 new, {said}\n")
    out, _ = run("import_mobjects", "opportunities", file(BLANKED), blank=blank)
    assert out.endswith(f"imported: 0 new, {said}\n")


def test_the_answer_about_blank_cells_is_remembered(file):
    blanked()
    run("import_mobjects", "opportunities", file(BLANKED), blank=["clear"], dry_run=True)
    out, _ = run("import_mobjects", "opportunities", file(BLANKED))
    assert out.endswith("Blank cells clear 4 values.\n")


@pytest.mark.parametrize("blank", ["maybe", "Stage=", "Nonsense=clear"])
def test_an_answer_about_blank_cells_that_means_nothing_ends_with_code_2(file, blank):
    with pytest.raises(CommandError) as stopped:
        run("import_mobjects", "opportunities", file(BLANKED), blank=[blank])
    assert stopped.value.returncode == 2


def test_an_undecided_column_stops_it_and_says_what_to_do(file):
    with pytest.raises(CommandError, match=r"“Betrag” is not matched yet.*--leave-out") as caught:
        run("import_mobjects", "opportunities", file("External ID,Betrag\nA,1\n"))
    assert caught.value.returncode == 1
    assert Import.objects.get().state == "mapping"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"map": ["Name"]}, "--map Name: write it with an equals sign."),
        ({"map": ["Nam=Name"]}, "--map: the file has no column “Nam”."),
        ({"map": ["X=Name"]}, "--map: the file has 2 columns “X”."),
        (
            {"map": ["Name=Nonsense"]},
            "--map: there is no column “Nonsense”. There are Marketo ID, Marketo GUID, External ID, Name",
        ),
        ({"leave_out": ["Nam"]}, "--leave-out: the file has no column “Nam”."),
        ({"set": ["Stage"]}, "--set Stage: write it with an equals sign."),
        ({"set": ["Nonsense=1"]}, "--set: there is no column “Nonsense”."),
    ],
)
def test_columns_that_do_not_exist_end_with_code_2(file, options, words):
    with pytest.raises(CommandError, match=re.escape(words)) as caught:
        run("import_mobjects", "opportunities", file("External ID,Name,X,X\nA,x,,\n"), **options)
    assert caught.value.returncode == 2


# --- errors and conflicts ---


def test_errors_go_to_stderr_and_end_with_code_1(file):
    err = io.StringIO()
    with pytest.raises(CommandError, match=r"Nothing was imported\. 1 row with errors") as caught:
        call_command("import_mobjects", "programs", file("Marketo ID,Name\nx,y\n"), stderr=err, no_color=True)
    assert caught.value.returncode == 1
    assert "row 2, Marketo ID, “x”: is not a whole number" in err.getvalue()
    assert Import.objects.get().state == "review"


def test_equal_errors_are_one_line_with_their_count(file):
    text = "External ID,Name,Amount\n" + "".join(f"{number},x,much\n" for number in range(40)) + "41,x,little\n"
    err = io.StringIO()
    with pytest.raises(CommandError):
        call_command("import_mobjects", "opportunities", file(text), stdout=io.StringIO(), stderr=err, no_color=True)
    lines = [line for line in err.getvalue().splitlines() if "Amount" in line]
    assert [line.split(":")[0] for line in lines] == [
        "row 2 and 39 more rows, Amount, “much”",
        "row 42, Amount, “little”",
    ]


def test_a_suggestion_is_told(file):
    err = io.StringIO()
    with pytest.raises(CommandError):
        call_command(
            "import_mobjects",
            "opportunities",
            file("External ID,Name,IsWon\nA,x,ja\n"),
            stderr=err,
            no_color=True,
        )
    assert err.getvalue().splitlines()[-1].endswith("Perhaps “true”?")


def test_only_the_valid_rows_on_request_and_the_others_in_an_error_file(file, tmp_path):
    path, bad = file("External ID,Name,Amount\nA,x,1\nB,y,?\n"), tmp_path / "bad.csv"
    with pytest.raises(CommandError, match="1 row with errors") as caught:
        run("import_mobjects", "opportunities", path, mode="valid", errors=str(bad))
    assert caught.value.returncode == 1
    assert Opportunity.objects.get().external_id == "A"
    imported = Import.objects.get()
    header, row = bad.read_text(encoding="utf-8-sig").splitlines()
    assert header == f"External ID,Name,Amount,Problems of import {imported.pk}"
    assert row.startswith("B,y,?,")
    bad.write_text(bad.read_text(encoding="utf-8").replace("?", "2"), encoding="utf-8")
    run("import_mobjects", "opportunities", str(bad))
    assert Opportunity.objects.get(external_id="B").amount == 2
    assert Import.objects.first().correction_of == imported


def test_a_row_that_was_overtaken_between_check_and_writing_is_told(file, tmp_path):
    coming = [{"external_id": "A", "name": "came meanwhile"}]

    def meanwhile(execute, sql, params, many, context):
        if coming and sql.startswith("UPDATE") and "committed_by" in sql:
            Opportunity.objects.create(**coming.pop())
        return execute(sql, params, many, context)

    path, bad, err = file("External ID,Name\nA,x\nB,y\n"), tmp_path / "bad.csv", io.StringIO()
    with connection.execute_wrapper(meanwhile), pytest.raises(CommandError, match="1 row with errors") as caught:
        call_command("import_mobjects", "opportunities", path, mode="valid", errors=str(bad), stderr=err, no_color=True)
    assert caught.value.returncode == 1
    assert "conflict in row 2: " in err.getvalue()
    assert bad.read_text(encoding="utf-8-sig").splitlines()[1].startswith("A,x,")
    assert sorted(Opportunity.objects.values_list("name", flat=True)) == ["came meanwhile", "y"]


def test_conflicts_are_left_out_unless_they_may_be_overwritten(file):
    opportunity = factories.opportunity(external_id="A", name="Changed here")
    Opportunity.objects.filter(pk=opportunity.pk).update(revision=2, synced_revision=1, accepted={"Name": "Sent"})
    path = file("External ID,Name\nA,From the file\n")
    err = io.StringIO()
    with pytest.raises(CommandError, match=r"Nothing was imported\. 1 row with errors or conflicts") as caught:
        call_command("import_mobjects", "opportunities", path, stderr=err, no_color=True)
    assert caught.value.returncode == 1
    assert "conflict in row 2, Name" in err.getvalue()
    run("import_mobjects", "opportunities", path, overwrite=True)
    opportunity.refresh_from_db()
    assert opportunity.name == "From the file"


def test_warnings_go_to_stderr(file):
    factories.cost(factories.program(marketo_id=1))
    _, err = run("import_mobjects", "program-costs", file("Program ID,Month,Amount\n1,2026-06,7\n"))
    assert err.startswith("please check row 2, Month, “2026-06”: will be added as another cost.")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("in.csv", "", "is empty"),
        ("in.xlsx", "no", "not a readable XLSX"),
        ("in.pdf", "x", "neither CSV nor a workbook"),
    ],
)
def test_unreadable_file_ends_with_code_2(file, name, text, words):
    with pytest.raises(CommandError, match=words) as caught:
        run("import_mobjects", "programs", file(text, name))
    assert caught.value.returncode == 2


def test_missing_file_ends_with_code_2():
    with pytest.raises(CommandError, match="No such file") as caught:
        run("import_mobjects", "programs", "/nowhere/in.csv")
    assert caught.value.returncode == 2


def test_an_encoding_that_was_guessed_is_told_and_can_be_chosen(file):
    path = file("External ID,Name\nA,Zürich\n", encoding="cp1252")
    out, err = run("import_mobjects", "opportunities", path)
    assert "Western European (Windows-1252), comma" in out
    assert err.startswith("please note: The encoding was guessed: Windows-1252.")
    assert Opportunity.objects.get().name == "Zürich"
    _, err = run("import_mobjects", "opportunities", path, encoding="latin-1")
    assert "guessed" not in err
    with pytest.raises(CommandError, match="The file is not Korean") as caught:
        run("import_mobjects", "opportunities", path, encoding="cp949")
    assert caught.value.returncode == 2


def test_delimiter_and_sheet_can_be_chosen(file, tmp_path):
    path = file("External ID|Name\nA|x,y,z\n")
    run("import_mobjects", "opportunities", path, delimiter="bar")
    assert Opportunity.objects.get().name == "x,y,z"
    factories.program()
    book = str(tmp_path / "out.xlsx")
    run("export_mobjects", "programs", book)
    with pytest.raises(CommandError, match="The workbook has no sheet “Missing”") as caught:
        run("import_mobjects", "programs", book, sheet="Missing")
    assert caught.value.returncode == 2


def test_more_rows_than_an_upload_may_have(file):
    lines = "".join(f"E{number},name {number}\n" for number in range(10_001))
    out, _ = run("import_mobjects", "opportunities", file(f"External ID,Name\n{lines}"))
    assert out.endswith("imported: 10001 new, 0 changed; 0 unchanged\n")


@pytest.mark.parametrize("kind", RESOURCES)
@pytest.mark.parametrize("name", ["out.csv", "out.xlsx"])
def test_export_is_imported_unchanged(kind, name, tmp_path):
    program = factories.program()
    factories.cost(program)
    factories.tag(program)
    factories.role(factories.opportunity(name="=서울"))
    path = str(tmp_path / name)
    assert run("export_mobjects", kind, path)[0] == f"1 rows written to {path}\n"
    assert run("import_mobjects", kind, path)[0].endswith("imported: 0 new, 0 changed; 1 unchanged\n")


def test_export_to_stdout_is_csv_without_a_mark():
    factories.program(marketo_id=7, name="=Seoul")
    assert run("export_mobjects", "programs", "-")[0] == (
        "Marketo ID,Name,Type,Workspace,Channel,Revision\r\n7,'=Seoul,,,,1\r\n"
    )


def test_export_to_stdout_writes_utf_8_whatever_the_terminal(capsysbinary):
    factories.program(name="서울")
    call_command("export_mobjects", "programs", "-")
    assert "서울".encode() in capsysbinary.readouterr().out


@pytest.mark.parametrize(
    ("name", "words"), [("no/out.csv", "cannot be written"), ("out.pdf", "neither CSV, XLSX nor JSON")]
)
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


def test_how_values_are_read_is_said_and_can_be_chosen(file):
    _, err = run("import_mobjects", "opportunities", file("External ID;Name;Amount\nA;x;1.604,47\nB;x;12.345\n"))
    assert err == (
        "please note: Numbers: 1.234,50 (a comma before decimals). In Amount, “1.604,47” can be read in no other way. "
        "“12.345” is 12345, “1.604,47” is 1604.47.\n"
    )
    assert {str(amount) for amount in Opportunity.objects.values_list("amount", flat=True)} == {"1604.47", "12345.00"}


def test_what_is_in_doubt_is_asked_with_the_option_that_answers(file):
    path = file("External ID,Name,CloseDate,Probability\nA,x,03/04/2026,1\n")
    with pytest.raises(CommandError, match="1 row with errors"):
        run("import_mobjects", "opportunities", path)
    err = io.StringIO()
    with pytest.raises(CommandError):
        call_command("import_mobjects", "opportunities", path, "--date-format", "dmy", stderr=err, no_color=True)
    assert "These look like fractions: 1 → 100? Say --probability percent or fraction." in err.getvalue()
    assert "Say --date-format" not in err.getvalue()
    run("import_mobjects", "opportunities", path, date_format="mdy", probability="fraction")
    (found,) = Opportunity.objects.all()
    assert (found.close_date.isoformat(), found.probability) == ("2026-03-04", 100)
