"""Reading and writing tables: CSV, workbooks, pasted text. Needs neither Django nor the app."""
