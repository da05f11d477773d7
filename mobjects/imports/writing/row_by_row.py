"""Writing the rows of a chunk one by one inside PostgreSQL, where most of them are refused.

From here, each row would be two statements, planned anew, and a savepoint. A function of the session's own plans them
once. SQLite neither needs this nor could do it: a statement there costs no more than its work.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from psycopg.sql import SQL, Composable, Composed, Literal

from mobjects.imports.writing.commit_sql import CommitSql
from mobjects.imports.writing.db_errors import Refused, broken_rule_message

_FUNCTION = "pg_temp.mobjects_write_rows"
_NUMBER = SQL("mobjects_number")
_BODY = """CREATE OR REPLACE FUNCTION {function}(mobjects_first int, mobjects_last int)
RETURNS TABLE(mobjects_refused int, mobjects_rule text) LANGUAGE plpgsql AS $mobjects$
#variable_conflict use_column
BEGIN
    FOR mobjects_number IN mobjects_first..mobjects_last LOOP
        BEGIN
            {statements};
        EXCEPTION WHEN integrity_constraint_violation OR data_exception THEN
            GET STACKED DIAGNOSTICS mobjects_rule = CONSTRAINT_NAME;
            mobjects_refused := mobjects_number;
            RETURN NEXT;
        END;
    END LOOP;
END $mobjects$"""


def write_row_by_row(sql: CommitSql, others: Sequence[CommitSql], first: int, last: int, now: datetime) -> Refused:
    """Write rows between two numbers, each by itself; gives the ones that the database refuses, and why.

    Args:
        sql: writes to the import's first target.
        others: write to its other ones.
        first, last: the numbers.
        now: when it is done.
    """
    found = [*(each.change_statement(now) for each in (sql, *others)), sql.create_statement(now)]
    statements = SQL(";\n            ").join(_of_one_row(sql.imported_id, *statement) for statement in found)
    with connection.cursor() as cursor:
        cursor.execute(SQL(_BODY).format(function=SQL(_FUNCTION), statements=statements))
        cursor.execute(f"SELECT * FROM {_FUNCTION}(%s, %s)", [first, last])  # noqa: S608
        refused = cursor.fetchall()
        cursor.execute(f"DROP FUNCTION {_FUNCTION}(int, int)")
    sql.forget_unwritten(first, last, 0)
    return iter([(number, broken_rule_message(sql.target.model, rule)) for number, rule in refused])


def _of_one_row(imported_id: int, statement: str, constants: list[Any]) -> Composed:
    """A statement for the row that the function is at, with its other parameters in it."""
    values: list[Composable] = [Literal(imported_id), _NUMBER, _NUMBER, *(Literal(value) for value in constants)]
    first, *others = statement.split("%s")
    parts = [SQL(first), *(part for value, text in zip(values, others, strict=True) for part in (value, SQL(text)))]
    return Composed(parts)
