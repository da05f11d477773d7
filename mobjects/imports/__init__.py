"""Imports: upload, columns, check, review, commit, undo.

============ ====================================================================================
flow         what a person asks for: upload, map, fix, check, commit, undo, discard
work         what a worker does with it: acquires its lease, does its step, goes on after one that was killed
lifecycle    its states, and which may follow which
files, head  the uploaded bytes in and out of the database; what a first look at them tells
mapping      which column of the file means which of ours
checking     reads the whole file once and writes what it found (``ImportRow``, ``ImportProblem``)
parsing      from cells to canonical text, with what is wrong (``suggesting``: and what would do)
kinds        what each kind of file means: keys, links, rules between columns
storing      writes what was found, in bulk; ``duplicates`` looks at the whole of it
commit       writes what the check found, in chunks
undo         takes a commit back
statements   the commit's SQL over whole chunks (``reversal``: the undo's), with ``targets`` (which
             table, which fields), ``dialects`` (SQLite, PostgreSQL) and ``refusals`` (errors in words)
errors       the user's own file with the reasons added
============ ====================================================================================
"""
