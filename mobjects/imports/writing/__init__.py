"""Writing what a check found, and taking it back.

``commit`` and ``undo`` go through the file in chunks; ``commit_sql`` and ``undo_sql`` are their statements, with
``sql_dialects`` (SQLite, PostgreSQL), ``target_tables`` (which table, which fields) and ``db_errors`` (a refusal in
words).
"""
