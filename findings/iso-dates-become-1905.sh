#!/usr/bin/env bash
# Dates as ISO 8601 in a workbook (openpyxl 3.1.5 with iso_dates=True; Excel's own "Strict Open XML Spreadsheet") and readers for Node.
#
# Guess, written down before the run: the standard has a cell type for it ("d"), and its value reads like a date; a reader
# that does not know it hands out the text "2026-11-28", or raises an error.
#
# Seen: exceljs 4.4.0, by both of its readers, takes the number in front: 2026, and that as a serial day, 1905-07-18. So each day of 2026
# is the same day, each of 2027 the next. What it saves again holds those days for good. xlsx-populate 1.21.0 hands out NaN,
# xlsx-stream-reader 1.1.1 "1900-01-00", neither says a word. SheetJS 0.18.5, read-excel-file 9.3.17, python-calamine 0.9.1 and
# openpyxl read the days that were written. (Issue 2695 of exceljs' repository, open since 2024, tells of it for Excel's strict files.)
#
# Whom it hurts: whoever fills, checks or merges other people's workbooks with these: all close dates of a year become one day a century
# ago, or are gone; an export that somebody switched to ISO dates, so that they be clear, is the one that arrives wrong.
#
# Needs node and npm. Exits with 0 as long as that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check openpyxl==3.1.5 python-calamine==0.9.1
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact \
    exceljs@4.4.0 xlsx-populate@1.21.0 xlsx-stream-reader@1.1.1 xlsx@0.18.5 read-excel-file@9.3.17 >/dev/null 2>&1
cat > write.py <<'PYTHON'
from datetime import date

import openpyxl

book = openpyxl.Workbook(iso_dates=True)
for row in (["OPP-1", date(2026, 1, 5)], ["OPP-2", date(2026, 11, 28)], ["OPP-3", date(2027, 3, 1)]):
    book.active.append(row)
book.save("deals.xlsx")
PYTHON
cat > read.py <<'PYTHON'
import sys

import openpyxl
from python_calamine import CalamineWorkbook

path = sys.argv[1]
show = lambda rows: " ".join(str(row[1])[:10] for row in rows)  # noqa: E731
print("openpyxl:", show(openpyxl.load_workbook(path).active.values))
print("calamine:", show(CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()))
PYTHON
cat > read.mjs <<'JAVASCRIPT'
import { createReadStream } from "fs";
import ExcelJS from "exceljs";
import readExcelFile from "read-excel-file/node";
import populate from "xlsx-populate";
import StreamReader from "xlsx-stream-reader";
import XLSX from "xlsx";

const path = "deals.xlsx";
const day = (value) => (value instanceof Date ? value.toISOString().slice(0, 10) : String(value));
const show = (name, values) => console.log(`${name}:`, values.map(day).join(" "));

const book = new ExcelJS.Workbook();
await book.xlsx.readFile(path);
show("exceljs", book.worksheets[0].getColumn(2).values.slice(1));
await book.xlsx.writeFile("saved.xlsx");
const streamed = [];
for await (const sheet of new ExcelJS.stream.xlsx.WorkbookReader(path, { styles: "cache" }))
  for await (const row of sheet) streamed.push(row.getCell(2).value);
show("exceljs, by rows", streamed);
show("xlsx-populate", (await populate.fromFileAsync(path)).sheet(0).range("B1:B3").value().flat());
const rows = await new Promise((done, failed) => {
  const reader = new StreamReader();
  const found = [];
  reader.on("error", failed);
  reader.on("worksheet", (sheet) => {
    sheet.on("row", (row) => found.push(row.values[2]));
    sheet.on("end", () => done(found));
    sheet.process();
  });
  createReadStream(path).pipe(reader);
});
show("xlsx-stream-reader", rows);
const sheetjs = XLSX.readFile(path, { cellDates: true });
show("SheetJS", XLSX.utils.sheet_to_json(sheetjs.Sheets[sheetjs.SheetNames[0]], { header: 1 }).map((row) => row[1]));
const given = await readExcelFile(path);
show("read-excel-file", (given[0].data ?? given).map((row) => row[1]));
JAVASCRIPT
venv/bin/python write.py
export TZ=UTC
(
    node read.mjs
    venv/bin/python read.py deals.xlsx
    echo "saved again by exceljs:"
    venv/bin/python read.py saved.xlsx
) | tee seen
diff seen - <<'EXPECTED'
exceljs: 1905-07-18 1905-07-18 1905-07-19
exceljs, by rows: 1905-07-18 1905-07-18 1905-07-19
xlsx-populate: NaN NaN NaN
xlsx-stream-reader: 1900-01-00 1900-01-00 1900-01-00
SheetJS: 2026-01-05 2026-11-28 2027-03-01
read-excel-file: 2026-01-05 2026-11-28 2027-03-01
openpyxl: 2026-01-05 2026-11-28 2027-03-01
calamine: 2026-01-05 2026-11-28 2027-03-01
saved again by exceljs:
openpyxl: 1905-07-18 1905-07-18 1905-07-19
calamine: 1905-07-18 1905-07-18 1905-07-19
EXPECTED
