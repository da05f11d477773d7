#!/usr/bin/env bash
# An .ods sheet on one of whose cells somebody put a comment, and on another a text box, as eight readers hand out the cells.
#
# Guess, written down before the run: both lie on the sheet, not in it. In .xlsx they are parts of their own, and whoever reads cells of
# .ods gets the same values as before somebody wrote "call them first" over a name.
#
# Seen: in OpenDocument both are elements inside of the cell that they are anchored to, with paragraphs of their own. tablib 3.10.0 (under
# django-import-export's ODS format) hands out the comment in place of the key; pyexcel-odsr 0.6.0 puts it in front of the key. The words of
# a text box are joined to the name by pandas 3.1.1 (odfpy), python-calamine 0.9.1 (so polars 2.1.0), pyexcel-ods 0.6.0, pyexcel-odsr and
# SheetJS 0.18.5. pyexcel-ods3 0.6.1 reads both cells as they are. Nothing is said.
#
# Whom it hurts: staff who comment a list before it is imported: a commented key is no known key, so a second opportunity is made under the
# text of the comment, and names in Marketo end in what a colleague was asked to do. Rows that nobody marked look right.
#
# Needs node and npm. Exits with 0 as long as that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check odfpy==1.4.1 defusedxml==0.7.1 tablib==3.10.0 pandas==3.1.1 \
    python-calamine==0.9.1 polars==2.1.0 fastexcel==0.21.0 pyexcel==0.7.6 pyexcel-ods==0.6.0 pyexcel-odsr==0.6.0 pyexcel-ods3==0.6.1
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact xlsx@0.18.5 >/dev/null 2>&1
cat > try.py <<'PYTHON'
import pandas
import polars
import pyexcel
import tablib
from odf.draw import CustomShape
from odf.office import Annotation
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P
from python_calamine import CalamineWorkbook

PATH = "deals.ods"


def cell(text, comment="", box=""):
    """A cell as LibreOffice writes it: comment, text, what is drawn on it."""
    made = TableCell(valuetype="string")
    if comment:
        note = Annotation()
        note.addElement(P(text=comment))
        made.addElement(note)
    made.addElement(P(text=text))
    if box:
        shape = CustomShape()
        shape.addElement(P(text=box))
        made.addElement(shape)
    return made


book = OpenDocumentSpreadsheet()
sheet = Table(name="Deals")
book.spreadsheet.addElement(sheet)
for cells in (
    [cell("key"), cell("name")],
    [cell("OPP-1", comment="same as OPP-9?"), cell("Desks")],
    [cell("OPP-2"), cell("Chairs", box="call them first")],
):
    row = TableRow()
    for each in cells:
        row.addElement(each)
    sheet.addElement(row)
book.save(PATH)
with open(PATH, "rb") as file:
    print("tablib", [list(row) for row in tablib.Dataset().load(file.read(), "ods")])
print("pandas", pandas.read_excel(PATH, engine="odf").values.tolist())
print("calamine", CalamineWorkbook.from_path(PATH).get_sheet_by_index(0).to_python()[1:])
print("polars", [list(row) for row in polars.read_ods(PATH).rows()])
for library in ("pyexcel-ods", "pyexcel-odsr", "pyexcel-ods3"):
    print(library, pyexcel.get_array(file_name=PATH, library=library)[1:])
PYTHON
cat > try.js <<'JAVASCRIPT'
const { readFile, utils } = require("xlsx");
const book = readFile("deals.ods");
console.log("SheetJS", JSON.stringify(utils.sheet_to_json(book.Sheets[book.SheetNames[0]], { header: 1 }).slice(1)));
JAVASCRIPT
(
    venv/bin/python try.py
    node try.js
) | tee seen
diff seen - <<'EXPECTED'
tablib [['same as OPP-9?', 'Desks'], ['OPP-2', 'Chairs']]
pandas [['OPP-1', 'Desks'], ['OPP-2', 'Chairscall them first']]
calamine [['OPP-1', 'Desks'], ['OPP-2', 'Chairs\ncall them first']]
polars [['OPP-1', 'Desks'], ['OPP-2', 'Chairs\ncall them first']]
pyexcel-ods [['OPP-1', 'Desks'], ['OPP-2', 'Chairs\ncall them first']]
pyexcel-odsr [['same as OPP-9?\nOPP-1', 'Desks'], ['OPP-2', 'Chairs\ncall them first']]
pyexcel-ods3 [['OPP-1', 'Desks'], ['OPP-2', 'Chairs']]
SheetJS [["OPP-1","Desks"],["OPP-2","Chairs\ncall them first"]]
EXPECTED
