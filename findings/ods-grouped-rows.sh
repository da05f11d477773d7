#!/usr/bin/env bash
# Rows of an .ods sheet that a person grouped, or set to repeat on each printed page, as tablib 3.10.0 (under django-import-export's ODS
# format) and hucre 1.0.0 read them.
#
# Guess, written down before the run: both are marks for the eye and the printer; whoever reads cells gets all rows in their order,
# as from an .xlsx file, where such marks are attributes of a row.
#
# Seen: in OpenDocument they are elements around the rows, and the two readers look for rows right beneath the table only. Grouped
# rows are gone. A heading that repeats on each page is gone, and then the first opportunity's values are taken for the headings.
# Nothing is said. hucre's own reader by rows gives all, so do python-calamine 0.9.1, pyexcel-ods3 0.6.1 and SheetJS 0.20.3.
#
# Whom it hurts: staff who import a list that somebody tidied up before: the group "2025" or all rows but the first and the last of a
# quarter are missing; a sync that deletes what is not in the list deletes them.
#
# Needs node and npm. Exits with 0 as long as that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check tablib==3.10.0 odfpy==1.4.1 defusedxml==0.7.1 \
    python-calamine==0.9.1 pyexcel==0.7.6 pyexcel-ods3==0.6.1
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact hucre@1.0.0 @e965/xlsx@0.20.3 >/dev/null 2>&1
cat > try.py <<'PYTHON'
import pyexcel
import python_calamine
import tablib
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableHeaderRows, TableRow, TableRowGroup
from odf.text import P


def row(*texts):
    made = TableRow()
    for text in texts:
        cell = TableCell(valuetype="string")
        cell.addElement(P(text=text))
        made.addElement(cell)
    return made


def around(element, *rows):
    for each in rows:
        element.addElement(each)
    return element


HEADING, ONE, TWO, THREE, FOUR = row("key", "name"), *(row(f"OPP-{number}", f"deal {number}") for number in range(1, 5))
inner = around(TableRowGroup(), THREE)
SHEETS = {
    "grouped": lambda: [row("key", "name"), ONE, around(TableRowGroup(), TWO, inner), FOUR],
    "repeated": lambda: [around(TableHeaderRows(), HEADING), row("OPP-1", "deal 1"), row("OPP-2", "deal 2")],
}
for name, rows in SHEETS.items():
    path, book, table = f"{name}.ods", OpenDocumentSpreadsheet(), Table(name="Opportunities")
    book.spreadsheet.addElement(around(table, *rows()))
    book.save(path)
    with open(path, "rb") as file:
        found = tablib.Dataset().load(file.read(), format="ods")
    readers = {
        "tablib": [found.headers, *found],
        "python-calamine": python_calamine.load_workbook(path).get_sheet_by_index(0).to_python(),
        "pyexcel-ods3": pyexcel.get_array(file_name=path, library="pyexcel-ods3"),
    }
    for reader, lines in readers.items():
        print(name, reader, *("/".join(line) for line in lines))
PYTHON
cat > try.mjs <<'JAVASCRIPT'
import fs from "node:fs";
import sheetjs from "@e965/xlsx";
import { readOds, streamOdsRows } from "hucre/ods";

for (const name of ["grouped", "repeated"]) {
  const data = fs.readFileSync(`${name}.ods`);
  const say = (reader, rows) => console.log(name, reader, ...rows.map((row) => row.join("/")));
  say("hucre", (await readOds(data)).sheets[0].rows);
  const streamed = [];
  for await (const row of streamOdsRows(data)) streamed.push(row.values);
  say("hucre by rows", streamed);
  say("SheetJS", sheetjs.utils.sheet_to_json(sheetjs.read(data).Sheets.Opportunities, { header: 1 }));
}
JAVASCRIPT
{ venv/bin/python try.py; node try.mjs; } | tee seen
diff <(LC_ALL=C sort seen) - <<'EXPECTED'
grouped SheetJS key/name OPP-1/deal 1 OPP-2/deal 2 OPP-3/deal 3 OPP-4/deal 4
grouped hucre by rows key/name OPP-1/deal 1 OPP-2/deal 2 OPP-3/deal 3 OPP-4/deal 4
grouped hucre key/name OPP-1/deal 1 OPP-4/deal 4
grouped pyexcel-ods3 key/name OPP-1/deal 1 OPP-2/deal 2 OPP-3/deal 3 OPP-4/deal 4
grouped python-calamine key/name OPP-1/deal 1 OPP-2/deal 2 OPP-3/deal 3 OPP-4/deal 4
grouped tablib key/name OPP-1/deal 1 OPP-4/deal 4
repeated SheetJS key/name OPP-1/deal 1 OPP-2/deal 2
repeated hucre OPP-1/deal 1 OPP-2/deal 2
repeated hucre by rows key/name OPP-1/deal 1 OPP-2/deal 2
repeated pyexcel-ods3 key/name OPP-1/deal 1 OPP-2/deal 2
repeated python-calamine key/name OPP-1/deal 1 OPP-2/deal 2
repeated tablib OPP-1/deal 1 OPP-2/deal 2
EXPECTED
