#!/usr/bin/env bash
# tablib 3.10.0 (under django-import-export's ODS format) and a sheet in which equal neighbours are written once.
#
# Guess, written down before the run: ODF's table:number-columns-repeated and -rows-repeated, which LibreOffice writes for
# runs of equal or empty cells, are expanded on reading, so each value stands under its own heading; and a number is the
# file's office:value, not the text that its format shows.
# What happens: a run of two or more empty cells is left out and a run of equal values counts as one, so what stands to
# the right moves left under the wrong heading and the end is filled with empty text, without an error. A repeated row
# is read once. A number is read from the shown text: 1234.567 shown with one place comes in as 1234.6. (Pull request 616
# of its repository, open since 2025, is about the columns; nothing found tells of the rows or of the shown number.)
# Whom it hurts: staff who import a sheet that an office program saved: an opportunity's date lands in its type, a
# quantity in its amount; of three equal rows two are missing; and the preview shows plausible rows.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tablib==3.10.0 odfpy==1.4.1 defusedxml==0.7.1
cat > "$folder/try.py" <<'PYTHON'
import sys
from importlib.metadata import version
from io import BytesIO

import tablib
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

HEADINGS = ["Name", "Stage", "Type", "Amount", "Quantity"]


def cell(shown=None, value=None, columns=1):
    repeat = {"numbercolumnsrepeated": columns} if columns > 1 else {}
    if shown is None:
        return TableCell(**repeat)
    kind = {"valuetype": "string"} if value is None else {"valuetype": "float", "value": value}
    made = TableCell(**kind, **repeat)
    made.addElement(P(text=shown))
    return made


def read(*cells, rows=1):
    document, sheet = OpenDocumentSpreadsheet(), Table(name="Opportunities")
    document.spreadsheet.addElement(sheet)
    repeat = {"numberrowsrepeated": rows} if rows > 1 else {}
    for row_cells, kind in (([cell(heading) for heading in HEADINGS], {}), (cells, repeat)):
        row = TableRow(**kind)
        for one in row_cells:
            row.addElement(one)
        sheet.addElement(row)
    stream = BytesIO()
    document.write(stream)
    loaded = tablib.Dataset().load(stream.getvalue(), format="ods")
    return [tuple(row) for row in loaded]


full = [cell("A"), cell("Won"), cell("New"), cell("5", 5), cell("7", 7)]
seen = {
    "no repeats": read(*full),
    "empty Stage and Type": read(cell("A"), cell(columns=2), cell("5", 5), cell("7", 7)),
    "equal Amount and Quantity": read(cell("A"), cell("Won"), cell("New"), cell("5", 5, 2)),
    "equal Stage and Type": read(cell("A"), cell("New", columns=2), cell("5", 5), cell("7", 7)),
    "three equal rows": read(*full, rows=3),
    "Amount 1234.567 shown as 1234.6": read(cell("A"), cell("Won"), cell("New"), cell("1234.6", 1234.567), cell("7", 7)),
}
print("tablib", version("tablib"), "headings", HEADINGS)
for name, rows in seen.items():
    print(f"{name:32}", rows)
whole = ("A", "Won", "New", 5.0, 7.0)
expected = {
    "no repeats": [whole],
    "empty Stage and Type": [("A", 5.0, 7.0, "", "")],
    "equal Amount and Quantity": [("A", "Won", "New", 5.0, "")],
    "equal Stage and Type": [("A", "New", 5.0, 7.0, "")],
    "three equal rows": [whole],
    "Amount 1234.567 shown as 1234.6": [("A", "Won", "New", 1234.6, 7.0)],
}
sys.exit(0 if seen == expected else 1)
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
