#!/usr/bin/env bash
# A workbook by excelize 0.1.0 (Go's Excelize, in Python) imported by django-import-export 4.4.3 (through tablib 3.10.0 and openpyxl).
#
# Guess, written down before the run: what one of the most used writers writes, the most used importer reads: ten opportunities, or an
# error for those that it cannot take.
#
# Seen: the import of ten opportunities ends without an error, without an invalid row and without a row: new 0, updated 0, skipped 0;
# of the heading only the first cell is read. Excelize leaves <dimension ref="A1"/> in each sheet that it has made itself,
# however much is written, by its stream writer as well; tablib reads workbooks in openpyxl's read-only mode, which stops where
# that element says. openpyxl in full, pandas 3.1.1 through openpyxl and python-calamine 0.9.1 give all ten. The same file, opened and saved by
# openpyxl, is imported whole.
#
# Whom it hurts: staff who import what another system wrote: the preview is empty, the confirmation reports success, and the job that
# does it at night without anybody imports nothing from the day on which the other side changed its writer.
#
# Exits with 0 as long as that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check excelize==0.1.0 Django==5.2.19 django-import-export==4.4.3 tablib==3.10.0 \
    openpyxl==3.1.5 pandas==3.1.1 python-calamine==0.9.1
cat > try.py <<'PYTHON'
import django
import excelize
import openpyxl
import pandas
import python_calamine
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["import_export"], DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
)
django.setup()

from django.db import connection, models  # noqa: E402
from import_export.formats.base_formats import XLSX  # noqa: E402
from import_export.resources import ModelResource  # noqa: E402

ROWS = [["external_id", "amount"], *([f"OPP-{number}", number * 1.5] for number in range(1, 11))]


class Opportunity(models.Model):
    external_id = models.CharField(max_length=20, primary_key=True)
    amount = models.DecimalField(max_digits=12, decimal_places=2)

    class Meta:
        app_label = "import_export"


class OpportunityResource(ModelResource):
    class Meta:
        model = Opportunity
        import_id_fields = ["external_id"]


def write(path, streamed):
    book = excelize.new_file()
    writer = book.new_stream_writer("Sheet1") if streamed else None
    for number, row in enumerate(ROWS, start=1):
        if streamed:
            writer.set_row(f"A{number}", row)
        else:
            book.set_sheet_row("Sheet1", f"A{number}", row)
    if streamed:
        writer.flush()
    book.save_as(path)
    book.close()


def import_file(path):
    Opportunity.objects.all().delete()
    with open(path, "rb") as file:
        dataset = XLSX().create_dataset(file.read())
    result = OpportunityResource().import_data(dataset)
    wrong = result.has_errors() or result.has_validation_errors()
    new, skipped = result.totals["new"], result.totals["skip"]
    return f"headings {dataset.headers}, errors {wrong}, new {new}, skipped {skipped}, stored {Opportunity.objects.count()}"


with connection.schema_editor() as editor:
    editor.create_model(Opportunity)
write("cells.xlsx", streamed=False)
write("stream.xlsx", streamed=True)
book = openpyxl.load_workbook("cells.xlsx")
book.save("resaved.xlsx")
for name in ("cells", "stream", "resaved"):
    print(f"django-import-export, {name}: {import_file(f'{name}.xlsx')}")
print("openpyxl in full:", book.active.max_row - 1)
print("pandas:", len(pandas.read_excel("cells.xlsx", engine="openpyxl")))
print("calamine:", len(python_calamine.CalamineWorkbook.from_path("cells.xlsx").get_sheet_by_index(0).to_python()) - 1)
PYTHON
venv/bin/python try.py | tee seen
diff seen - <<'EXPECTED'
django-import-export, cells: headings ['external_id'], errors False, new 0, skipped 0, stored 0
django-import-export, stream: headings ['external_id'], errors False, new 0, skipped 0, stored 0
django-import-export, resaved: headings ['external_id', 'amount'], errors False, new 10, skipped 0, stored 10
openpyxl in full: 10
pandas: 10
calamine: 10
EXPECTED
