#!/usr/bin/env bash
# polars 2.1.0 with its usual engine for workbooks (fastexcel 0.21.0), and a sheet whose columns change their kind late.
#
# Guess, written down before the run: kinds are inferred from the first thousand rows, as for CSV; where a later cell is text in
# a column of numbers or dates, polars raises an error that names it (so does its CSV reader), or the column becomes text.
# What happens: neither. Each such cell becomes null without a word, although fastexcel, asked by itself, takes these columns for
# text. And a row of which no cell is left then counts as an empty row and is dropped: of 1,500 opportunities 1,350 arrive.
# With its other engine, xlsx2csv, the same call raises. Reading all as text (infer_schema_length=0) keeps every cell.
# Whom it hurts: whoever joins an old list of opportunities, whose keys were numbers, with a newer one, whose keys are texts, and
# prepares an upload with polars: keys are gone, and rows; the sums are plausible; who looks at the first page sees nothing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    polars==2.1.0 fastexcel==0.21.0 xlsx2csv==0.8.6 XlsxWriter==3.3.1
cat > "$folder/try.py" <<'PYTHON'
import sys
from datetime import date
from importlib.metadata import version

import fastexcel
import polars
import xlsxwriter

path = f"{sys.argv[1]}/opportunities.xlsx"
book = xlsxwriter.Workbook(path)
sheet = book.add_worksheet()
day = book.add_format({"num_format": "yyyy-mm-dd"})
sheet.write_row(0, 0, ["External ID", "Amount", "Close date"])
for row in range(1, 1501):
    if row <= 1200:
        sheet.write_row(row, 0, [10_000 + row, 100])
        sheet.write_datetime(row, 2, date(2026, 11, 28), day)
    else:
        sheet.write_row(row, 0, [f"OPP-{row}", 99.5 if row % 2 else "USD 99.50", "2026. 11. 28."])
book.close()

table = polars.read_excel(path)
as_text = polars.read_excel(path, infer_schema_length=0)
by_itself = fastexcel.read_excel(path).load_sheet(0).available_columns()
try:
    other = f"{polars.read_excel(path, engine='xlsx2csv').height} rows"
except polars.exceptions.ComputeError as error:
    other = f"error: {str(error).splitlines()[0]}"

seen = {
    "rows written": 1500,
    "rows read": table.height,
    "kinds": [str(kind) for kind in table.schema.values()],
    "nulls": list(table.null_count().row(0)),
    "row 1201": list(table.row(1200)),
    "rows read as text": as_text.height,
    "nulls of those": list(as_text.null_count().row(0)),
    "kinds by fastexcel alone": [column.dtype for column in by_itself],
    "engine xlsx2csv": other.partition(" as dtype")[0],
}
print(f"polars {version('polars')}, fastexcel {version('fastexcel')}")
for words, value in seen.items():
    print(f"{words}: {value}")
expected = {
    "rows written": 1500,
    "rows read": 1350,
    "kinds": ["Int64", "Float64", "Date"],
    "nulls": [150, 0, 150],
    "row 1201": [None, 99.5, None],
    "rows read as text": 1500,
    "nulls of those": [0, 0, 0],
    "kinds by fastexcel alone": ["string", "string", "string"],
}
if any(seen[words] != value for words, value in expected.items()) or not other.startswith("error"):
    sys.exit(f"This has changed: expected {expected}")
PYTHON
"$folder/venv/bin/python" "$folder/try.py" "$folder"
