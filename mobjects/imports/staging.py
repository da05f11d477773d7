"""Writing what a check finds, a chunk at a time: COPY on PostgreSQL, one prepared statement on SQLite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from django.db import connection, models, transaction

from mobjects.db.retry import retry_on_database_error
from mobjects.imports.cell_parser import RowProblem
from mobjects.models import Import, ImportGroup, ImportProblem, ImportRow

ROWS, PROBLEMS, GROUPS = (model._meta.db_table for model in (ImportRow, ImportProblem, ImportGroup))

_ROW_COLUMNS = "imported_id, number, outcome, record_id, label, key, marketo_id, marketo_guid, data, old, cleared"
_PROBLEM_COLUMNS = 'imported_id, number, level, "column", position, value, rule, suggestion'
_NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def _encode(values: Mapping[str, Any]) -> str:
    return orjson.dumps(values).decode()


class CheckedRow(NamedTuple):
    """A row of :class:`~mobjects.models.ImportRow`."""

    number: int
    outcome: str
    record_id: int | None
    label: str
    key: str
    marketo_id: str | None
    marketo_guid: str
    data: dict[str, Any]
    old: dict[str, Any]
    cleared: int = 0


def clear_results(imported: Import) -> None:
    """Delete what an earlier check of an import wrote."""
    for model in (ImportRow, ImportProblem, ImportGroup):
        found: models.QuerySet[Any] = model._default_manager.filter(imported=imported)
        found._raw_delete(found.db)  # nothing refers to them


@retry_on_database_error
def save_results(imported_id: int, findings: Sequence[CheckedRow], problems: Sequence[RowProblem]) -> None:
    """Write down what was found in some rows, all of it or nothing."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            _copy(cursor, ROWS, _ROW_COLUMNS, _row_lines(imported_id, findings))
            if problems:
                _copy(cursor, PROBLEMS, _PROBLEM_COLUMNS, _problem_lines(imported_id, problems))
        else:
            _insert(
                cursor,
                ROWS,
                _ROW_COLUMNS,
                [(imported_id, *each[:7], _encode(each.data), _encode(each.old), each.cleared) for each in findings],
            )
            _insert(cursor, PROBLEMS, _PROBLEM_COLUMNS, [(imported_id, *each) for each in problems])


def write_groups(imported_id: int) -> None:
    """Write the groups of an import's problems, which are all written."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {GROUPS} (imported_id, level, "column", position, value, rule, suggestion, count, first)
            SELECT imported_id, level, "column", position, value, rule, max(suggestion), count(*), min(number)
            FROM {PROBLEMS} WHERE imported_id = %s GROUP BY imported_id, level, "column", position, value, rule
            ORDER BY min(number)
            """,  # noqa: S608
            [imported_id],
        )


def _insert(cursor: Any, table: str, columns: str, rows: Sequence[tuple[Any, ...]]) -> None:
    places = ", ".join(["%s"] * (columns.count(",") + 1))
    if rows:
        cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", rows)  # noqa: S608


def _copy(cursor: Any, table: str, columns: str, lines: Iterable[str]) -> None:
    with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        copy.write("".join(lines))


def _row_lines(imported_id: int, findings: Sequence[CheckedRow]) -> Iterable[str]:
    """Lines of COPY's text format. JSON has only backslashes to escape: it writes line ends and tabs as such."""
    for number, outcome, record_id, label, key, marketo_id, guid, data, old, cleared in findings:
        new = _encode(data).replace("\\", "\\\\") if data else "{}"
        before = _encode(old).replace("\\", "\\\\") if old else "{}"
        yield (
            f"{imported_id}\t{number}\t{outcome}\t{_NULL if record_id is None else record_id}\t{_escaped(label)}\t"
            f"{_escaped(key)}\t{marketo_id or _NULL}\t{_escaped(guid)}\t{new}\t{before}\t{cleared}\n"
        )


def _problem_lines(imported_id: int, problems: Sequence[RowProblem]) -> Iterable[str]:
    for number, level, column, position, value, rule, suggestion in problems:
        yield (
            f"{imported_id}\t{number}\t{level}\t{_escaped(column)}\t{_NULL if position is None else position}\t"
            f"{_escaped(value)}\t{_escaped(rule)}\t{_escaped(suggestion)}\n"
        )


def _escaped(text: str) -> str:
    return text if "\\" not in text and text.isprintable() else text.translate(_ESCAPES)
