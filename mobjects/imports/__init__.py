"""Imports: upload, columns, check, review, commit, undo.

===============  ==============================================================================================
service          what a person asks for: upload, map, fix, check, commit, undo, discard
runner           what a worker does with it: acquires its lease, does its step, goes on after one that was killed
lifecycle        its states, and which may follow which
detection        what a first look at a file tells: how it is read, what its columns probably mean
file_storage     the uploaded bytes in and out of the database
column_mapping   which column of the file means which of ours
validation       reads the whole file once and writes what it found (``ImportRow``, ``ImportProblem``)
cell_parser      from cells to canonical text, with what is wrong; ``suggestions``: and what would do
formats          how the file writes numbers, dates, yes and no: what its cells tell, what a person said
validators       what each kind of file means: keys, links, rules between columns
staging          writes what was found, in bulk; ``duplicates`` looks at the whole of it
writing          ``commit`` and ``undo`` in chunks, and their SQL for both databases
error_file       the user's own file with the reasons added
file_limits      how much is read, as the settings say
===============  ==============================================================================================
"""
