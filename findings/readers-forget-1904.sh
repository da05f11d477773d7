#!/usr/bin/env bash
# One workbook with Excel's 1904 date system (as Excel for the Mac wrote for twenty years), one close date, eight readers.
#
# Guess, written down before the run: the flag stands in one attribute of workbook.xml and has been there since the format began, so
# whatever hands out dates minds it; a reader that does not hands out bare serial numbers, and one sees that something is missing.
#
# Seen, for a cell that Excel shows as 2026-11-28: xlsx 0.18.5 (SheetJS, asked for dates: cellDates), xlsx-stream-reader 1.1.1,
# xlstream 2.5.5, pylightxl 1.61 and sxl 0.0.1a10 hand out a finished date, 2022-11-27, four years and a day early, without a
# word. exceljs 4.4.0, read-excel-file 9.3.17 and openpyxl 3.1.5 hand out 2026-11-28.
#
# Whom it hurts: whoever prepares or checks opportunities with one of these: each close date is a plausible date, a Saturday becomes a
# Sunday, and deals that are still open were lost four years ago, in reports and, after the next upload, in Marketo.
#
# Needs node and npm. Exits with 0 as long as that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check XlsxWriter==3.3.1 openpyxl==3.1.5 pylightxl==1.61 sxl==0.0.1a10
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact \
    xlsx@0.18.5 xlsx-stream-reader@1.1.1 xlstream@2.5.5 exceljs@4.4.0 read-excel-file@9.3.17 >/dev/null 2>&1
cat > write.py <<'PYTHON'
from datetime import date

import xlsxwriter

book = xlsxwriter.Workbook("mac.xlsx", {"date_1904": True})
sheet = book.add_worksheet("Opportunities")
sheet.write_row(0, 0, ["External ID", "Close date"])
sheet.write(1, 0, "OPP-1")
sheet.write_datetime(1, 1, date(2026, 11, 28), book.add_format({"num_format": "yyyy-mm-dd"}))
book.close()
PYTHON
venv/bin/python write.py
cat > read.js <<'JAVASCRIPT'
const fs = require("fs");
const day = (value) => (value instanceof Date ? value.toISOString().slice(0, 10) : String(value));
const say = (name, value) => console.log(`${name} ${day(value)}`);
(async () => {
  const sheetjs = require("xlsx").readFile("mac.xlsx", { cellDates: true });
  say("xlsx", sheetjs.Sheets.Opportunities.B2.v);

  const book = new (require("exceljs").Workbook)();
  await book.xlsx.readFile("mac.xlsx");
  say("exceljs", book.worksheets[0].getCell("B2").value);

  const sheets = await require("read-excel-file/node").default("mac.xlsx");
  say("read-excel-file", sheets[0].data[1][1]);

  const rows = [];
  for await (const row of await require("xlstream").getXlsxStream({ filePath: "mac.xlsx", sheet: 0 })) {
    rows.push(row.formatted.arr);
  }
  say("xlstream", rows[1][1]);

  await new Promise((done, failed) => {
    const reader = new (require("xlsx-stream-reader"))();
    reader.on("error", failed);
    reader.on("worksheet", (sheet) => {
      sheet.on("row", (row) => row.attributes.r === "2" && say("xlsx-stream-reader", row.values[2]));
      sheet.on("end", done);
      sheet.process();
    });
    fs.createReadStream("mac.xlsx").pipe(reader);
  });
})();
JAVASCRIPT
cat > read.py <<'PYTHON'
import openpyxl
import pylightxl
import sxl

print("openpyxl", openpyxl.load_workbook("mac.xlsx").active["B2"].value.date())
print("pylightxl", pylightxl.readxl("mac.xlsx").ws("Opportunities").address("B2").replace("/", "-"))
print("sxl", list(sxl.Workbook("mac.xlsx").sheets["Opportunities"].rows)[1][1].date())
PYTHON
{ node read.js; venv/bin/python read.py; } | tee seen
diff <(LC_ALL=C sort seen) - <<'EXPECTED'
exceljs 2026-11-28
openpyxl 2026-11-28
pylightxl 2022-11-27
read-excel-file 2026-11-28
sxl 2022-11-27
xlstream 2022-11-27
xlsx 2022-11-27
xlsx-stream-reader 2022-11-27
EXPECTED
