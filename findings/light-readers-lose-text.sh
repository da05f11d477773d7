#!/usr/bin/env bash
# pylightxl 1.61 and pyexcel-xlsxr 0.6.2, two light readers of workbooks, and texts as Excel and writers by rows keep them.
#
# Guess, written down before the run: a light reader leaves out styles, so dates may come as numbers, and bold is gone; the text of a
# cell is the one thing that it exists for, and a way of keeping texts that it does not know raises an error.
#
# Seen: pylightxl hands out '' for each text that stands in its cell ("inline": XlsxWriter in constant memory and other writers
# by rows); numbers stay. pyexcel-xlsxr hands out '' for each shared text that has two fonts, and the last piece of one that
# stands in its cell. Neither says a word. openpyxl 3.1.5 reads both files whole.
#
# Whom it hurts: whoever checks an export by these for missing keys, or joins lists by name before an upload: all keys of a large file
# are blank, or just the names in which somebody marked a word, which no look at the first rows shows.
#
# Exits with 0 as long as that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    XlsxWriter==3.3.1 openpyxl==3.1.5 pylightxl==1.61 pyexcel==0.7.6 pyexcel-xlsxr==0.6.2
cat > try.py <<'PYTHON'
import openpyxl
import pyexcel
import pylightxl
import xlsxwriter

for path, options in (("shared.xlsx", {}), ("inline.xlsx", {"constant_memory": True})):
    book = xlsxwriter.Workbook(path, options)
    sheet = book.add_worksheet("Opportunities")
    sheet.write(0, 0, "OPP-1")
    sheet.write(0, 2, 500)
    sheet.write_rich_string(0, 1, "Big ", book.add_format({"bold": True}), "deal", " won")
    book.close()
    print(path, "openpyxl", list(next(openpyxl.load_workbook(path).active.iter_rows(values_only=True))))
    print(path, "pylightxl", next(pylightxl.readxl(path).ws("Opportunities").rows))
    print(path, "pyexcel-xlsxr", pyexcel.get_array(file_name=path, library="pyexcel-xlsxr")[0])
PYTHON
venv/bin/python -W ignore try.py | tee seen
diff seen - <<'EXPECTED'
shared.xlsx openpyxl ['OPP-1', 'Big deal won', 500]
shared.xlsx pylightxl ['OPP-1', 'Big deal won', 500]
shared.xlsx pyexcel-xlsxr ['OPP-1', '', 500]
inline.xlsx openpyxl ['OPP-1', 'Big deal won', 500]
inline.xlsx pylightxl ['', '', 500]
inline.xlsx pyexcel-xlsxr ['OPP-1', ' won', 500]
EXPECTED
