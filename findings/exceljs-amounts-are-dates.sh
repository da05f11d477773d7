#!/usr/bin/env bash
# exceljs 4.4.0 and amounts that are shown with one letter behind them: 45.0M for millions, 12h for hours.
#
# Guess, written down before the run: a number format says how a number looks; the value that a reader hands out is the number, be the
# letter in quotation marks or behind a backslash, which are two ways of writing the same.
#
# Seen: with 0.0,,"M" an amount of 45000000 is read as that; with 0.0,,\M, as LibreOffice 7.4.7 stores a format whose text is a single
# letter, it is a Date, of the year 125105; 12 hours of 0\h are a day of January 1900. exceljs takes the backslash away before it looks for
# m, d, h, s and b, and saves the format without it, so that openpyxl 3.1.5, too, reads a date from then on, or an error. 0\x and
# #,##0.00\ € stay numbers. SheetJS 0.18.5, read-excel-file 9.3.17 and openpyxl hand out the numbers of the file as it was.
#
# Whom it hurts: whoever reads or fills budgets with it: the same sheet gives numbers when it comes from Excel and dates after somebody
# saved it with LibreOffice, an upload of costs is refused or holds days of 1900, and whoever gets the filled sheet finds no amounts.
#
# Needs node and npm. Exits with 0 as long as that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check XlsxWriter==3.3.1 openpyxl==3.1.5
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact exceljs@4.4.0 xlsx@0.18.5 read-excel-file@9.3.17 >/dev/null 2>&1
cat > write.py <<'PYTHON'
import xlsxwriter

book = xlsxwriter.Workbook("costs.xlsx")
sheet = book.add_worksheet()
for row, (value, shown) in enumerate(
    [(45_000_000, '0.0,,"M"'), (45_000_000, r"0.0,,\M"), (12, r"0\h"), (700, r"#,##0\b"), (9, r"0\x"), (1200.5, r"#,##0.00\ €")]
):
    sheet.write_number(row, 0, value, book.add_format({"num_format": shown}))
book.close()
PYTHON
cat > read.py <<'PYTHON'
import sys

import openpyxl

cells = openpyxl.load_workbook(sys.argv[1]).active["A"]
print("openpyxl:", *[str(cell.value).removesuffix(" 00:00:00") for cell in cells])
print("formats:", *[cell.number_format for cell in cells], sep=" | ")
PYTHON
cat > read.mjs <<'JAVASCRIPT'
import ExcelJS from "exceljs";
import readExcelFile from "read-excel-file/node";
import XLSX from "xlsx";

const show = (name, values) => console.log(`${name}:`, ...values.map((value) => (value instanceof Date ? value.toISOString().split("T")[0] : value)));
const book = new ExcelJS.Workbook();
await book.xlsx.readFile("costs.xlsx");
show("exceljs", book.worksheets[0].getColumn(1).values.slice(1));
await book.xlsx.writeFile("saved.xlsx");
const streamed = [];
for await (const sheet of new ExcelJS.stream.xlsx.WorkbookReader("costs.xlsx", { styles: "cache" }))
  for await (const row of sheet) streamed.push(row.getCell(1).value);
show("exceljs, by rows", streamed);
const sheetjs = XLSX.readFile("costs.xlsx", { cellDates: true });
show("SheetJS", XLSX.utils.sheet_to_json(sheetjs.Sheets[sheetjs.SheetNames[0]], { header: 1 }).flat());
const given = await readExcelFile("costs.xlsx");
show("read-excel-file", (given[0].data ?? given).flat());
JAVASCRIPT
venv/bin/python write.py
export TZ=UTC
(
    node read.mjs
    venv/bin/python read.py costs.xlsx
    echo "saved again by exceljs:"
    venv/bin/python -W ignore read.py saved.xlsx
) | tee seen
diff seen - <<'EXPECTED'
exceljs: 45000000 +125105-10-24 1900-01-11 1901-11-30 9 1200.5
exceljs, by rows: 45000000 +125105-10-24 1900-01-11 1901-11-30 9 1200.5
SheetJS: 45000000 45000000 12 700 9 1200.5
read-excel-file: 45000000 45000000 12 700 9 1200.5
openpyxl: 45000000 45000000 12 700 9 1200.5
formats: | 0.0,,"M" | 0.0,,\M | 0\h | #,##0\b | 0\x | #,##0.00\ €
saved again by exceljs:
openpyxl: 45000000 #VALUE! 1900-01-12 700 9 1200.5
formats: | 0.0,,"M" | 0.0,,M | 0h | #,##0b | 0x | #,##0.00 €
EXPECTED
