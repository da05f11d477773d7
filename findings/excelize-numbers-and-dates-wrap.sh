#!/usr/bin/env bash
# excelize 0.1.0, the Python build of Go's Excelize, and what does not fit into 32 bits: an id of ten digits, a date from 2038 on.
#
# Guess, written down before the run: Excelize in Go keeps 64 bits and Excel 15 digits, so its Python build writes 3,000,000,000
# and a close date of 2040 as they are; what it cannot write raises, as it does for a timedelta or a time.
#
# Seen: a whole number is cut to its last 32 bits, and a date to those of its seconds since 1970: 3000000000 is written as
# -1294967296, an id that is 2^32 higher as the lower one, 2040-01-01 as 1903-11-25 17:31:44, "no end" (9999-12-31) as a day of
# 1969. set_cell_value and set_sheet_row do so without an error; set_cell_int keeps the
# number, but takes nothing else. A float of the same size arrives whole. All neighbours look as they should.
#
# Whom it hurts: whoever moves an export of opportunities from openpyxl to this for its speed: ids of databases that count past two
# billion and amounts in won or yen become other numbers, some of them other rows' ids, and contracts without an end are over.
#
# Exits with 0 as long as that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check excelize==0.1.0 openpyxl==3.1.5
cat > try.py <<'PYTHON'
from datetime import date, datetime

import excelize
import openpyxl

VALUES = [2147483647, 2147483648, 3000000000, 4294967301, 3000000000.0, datetime(2038, 1, 19), datetime(2040, 1, 1), date(9999, 12, 31)]
book = excelize.new_file()
for number, value in enumerate(VALUES, start=1):
    book.set_cell_value("Sheet1", f"A{number}", value)
    book.set_sheet_row("Sheet1", f"B{number}", [value])
book.set_cell_int("Sheet1", "C3", 3000000000)
book.save_as("out.xlsx")
book.close()

sheet = openpyxl.load_workbook("out.xlsx").active
for value, (one, row, _) in zip(VALUES, sheet.iter_rows(values_only=True)):
    print(f"{value}: {one}" if one == row else f"{value}: {one}, in a row {row}")
print("set_cell_int:", sheet["C3"].value)
PYTHON
venv/bin/python try.py | tee seen
diff seen - <<'EXPECTED'
2147483647: 2147483647
2147483648: -2147483648
3000000000: -1294967296
4294967301: 5
3000000000.0: 3000000000
2038-01-19 00:00:00: 2038-01-19 00:00:00
2040-01-01 00:00:00: 1903-11-25 17:31:44
9999-12-31: 1969-12-22 02:12:16
set_cell_int: 3000000000
EXPECTED
