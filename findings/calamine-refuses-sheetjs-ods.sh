#!/usr/bin/env bash
# SheetJS (npm xlsx 0.18.5) writes .ods; python-calamine 0.9.1, and pandas 3.0.6 with it, read .ods.
#
# A good engineer would guess: a plain table with texts and numbers passes from the one to the other, and if it did not, the
# error would name what is wrong with the file.
#
# Seen: not one cell of it. SheetJS sets elements apart by line breaks, as XML may, and calamine takes those for content of the table.
# Opened by its path, the file is refused with "Expecting 'table-cell', found" text; opened as a stream, as each web site does
# with an upload, with "Cannot detect file format". odfpy 1.4.1 reads it, and calamine does too without the breaks.
#
# Whom it hurts: sites that offer "save as ODS" by SheetJS and sites that import uploads through calamine: each file is called no
# spreadsheet at all, and whoever looks at it in LibreOffice sees nothing wrong.
#
# Needs node and npm. Exits with 0 as long as that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check python-calamine==0.9.1 odfpy==1.4.1 pandas==3.0.6
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact xlsx@0.18.5 >/dev/null 2>&1
cat > write.js <<'JAVASCRIPT'
const { utils, writeFile } = require("xlsx");
const book = utils.book_new();
utils.book_append_sheet(book, utils.aoa_to_sheet([["Key", "Amount"], ["OPP-1", 1200.5]]), "Deals");
writeFile(book, "deals.ods");
JAVASCRIPT
node write.js
cat > read.py <<'PYTHON'
import re
import zipfile

import pandas
from python_calamine import CalamineWorkbook


def attempt(name, read):
    try:
        print(name, read())
    except Exception as error:
        print(name, str(error).splitlines()[0][:52])


def rows(book):
    return book.get_sheet_by_index(0).to_python()


with zipfile.ZipFile("deals.ods") as given, zipfile.ZipFile("tidy.ods", "w") as tidy:
    for part in given.namelist():
        tidy.writestr(part, re.sub(rb">\s+<", b"><", given.read(part)))
attempt("path:", lambda: rows(CalamineWorkbook.from_path("deals.ods")))
attempt("stream:", lambda: rows(CalamineWorkbook.from_filelike(open("deals.ods", "rb"))))
attempt("pandas:", lambda: pandas.read_excel("deals.ods", engine="calamine").values.tolist())
attempt("pandas, odfpy:", lambda: pandas.read_excel("deals.ods", engine="odf").values.tolist())
attempt("without breaks:", lambda: rows(CalamineWorkbook.from_path("tidy.ods")))
PYTHON
venv/bin/python read.py | tee seen
diff seen - <<'EXPECTED'
path: Expecting 'table-cell', found 'Text(BytesText { cont
stream: Cannot detect file format
pandas: Cannot detect file format
pandas, odfpy: [['OPP-1', 1200.5]]
without breaks: [['Key', 'Amount'], ['OPP-1', 1200.5]]
EXPECTED
