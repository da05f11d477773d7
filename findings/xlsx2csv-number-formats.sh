#!/usr/bin/env bash
# xlsx2csv 0.8.6 (also the engine of that name in polars.read_excel) and cells whose number format is not one of Excel's own.
#
# Guess, written down before the run: either the raw values come out (0.8, 46354), or what Excel shows (80%, 2026년 11월 28일);
# the same way for all cells of a column, and never another moment than the one in the cell.
# What happens: a cell of format 0% comes out as 80%, its neighbour of format 0.0% as 0.125, so one column holds both
# percents and fractions. 14:30 in a cell of date and time comes out as 14:29, since the seconds of the nearest binary number are
# cut, not rounded. A day and a half in [h]:mm:ss comes out as 12:00: the day is gone. A Korean date comes out with the quotation
# marks of its format among the text, which the CSV then doubles. An id shown as 000124 comes out as 124. Nothing is said.
# Whom it hurts: staff who turn a workbook of opportunities into CSV before an upload: a probability of 12.5 % goes to Marketo as
# 0 % or is refused beside the 80 %, a meeting is a minute early, and Korean dates are no dates to anything that reads the file.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xlsx2csv==0.8.6 XlsxWriter==3.3.1
cat > "$folder/try.py" <<'PYTHON'
import sys
from importlib.metadata import version
from io import StringIO

import xlsxwriter
from xlsx2csv import Xlsx2csv

folder = sys.argv[1]
# What Excel shows, the value, its format, and the line that comes out.
CELLS = [
    ("80%", 0.8, "0%", "80%"),
    ("12.5%", 0.125, "0.0%", "0.125"),
    ("2026-11-28 14:30", 46354 + 14.5 / 24, "yyyy-mm-dd hh:mm", "2026-11-28 14:29"),
    ("36:00:00", 1.5, "[h]:mm:ss", "12:00"),
    ("2026년 11월 28일", 46354, 'yyyy"년" m"월" d"일"', '"2026""년"" 11""월"" 28""일"""'),
    ("000124", 124, "000000", "124"),
    ("2026-11-28", 46354, "yyyy-mm-dd", "2026-11-28"),
]

path = f"{folder}/opportunities.xlsx"
book = xlsxwriter.Workbook(path)
sheet = book.add_worksheet()
for row, (_shown, value, number_format, _expected) in enumerate(CELLS):
    sheet.write_number(row, 0, value, book.add_format({"num_format": number_format}))
book.close()
out = StringIO()
Xlsx2csv(path).convert(out)
lines = out.getvalue().splitlines()

print(f"xlsx2csv {version('xlsx2csv')}")
print(f"{'format':24} {'Excel shows':20} line of the CSV")
for (shown, _value, number_format, _expected), line in zip(CELLS, lines, strict=True):
    print(f"{number_format:24} {shown:20} {line}")
expected = [cell[3] for cell in CELLS]
if lines != expected:
    sys.exit(f"This has changed: expected {expected}, got {lines}")
PYTHON
"$folder/venv/bin/python" "$folder/try.py" "$folder"
