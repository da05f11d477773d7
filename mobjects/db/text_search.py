"""Finding records by what people type, and the indexes that keep this fast on PostgreSQL.

Each word has to be found: in a name or key, or as a whole Marketo ID or GUID. Words of three letters and more are found
anywhere; shorter ones where a word begins, since a trigram index knows nothing shorter. See
docs/decisions/0060-search.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.apps import AppConfig
from django.db import DatabaseError, connections, models, transaction
from django.db.models import Q
from django.utils.text import smart_split, unescape_string_literal

from mobjects.marketo.value_parsing import LARGEST_ID
from mobjects.models import Opportunity, OpportunityPersonRole, Program, ProgramCost, ProgramTag

TRIGRAM = 3


@dataclass(frozen=True, slots=True)
class SearchedColumns:
    """Where a model's rows are searched.

    Args:
        text: searched within.
        numbers: found by a whole number.
        guids: found by a whole GUID.
        owner: field that leads to a row in which is searched as well; "" for none.
    """

    text: tuple[str, ...]
    numbers: tuple[str, ...] = ()
    guids: tuple[str, ...] = ()
    owner: str = ""


SEARCHED: dict[type[models.Model], SearchedColumns] = {
    Program: SearchedColumns(("name",), ("marketo_id",)),
    Opportunity: SearchedColumns(("name", "external_id"), ("marketo_id",), ("marketo_guid",)),
    OpportunityPersonRole: SearchedColumns(
        ("role", "person_key"), ("marketo_id", "person_id"), ("marketo_guid",), "opportunity"
    ),
    ProgramCost: SearchedColumns(("note",), owner="program"),
    ProgramTag: SearchedColumns(("type", "value"), owner="program"),
}


def search_records(rows: models.QuerySet[Any], text: str) -> models.QuerySet[Any]:
    """Those of some rows in which each word of a text is found; words in quotes are one.

    Args:
        rows: of one of the models in :data:`SEARCHED`.
        text: as typed; an empty one finds all.
    """
    for part in smart_split(text.replace("\0", "")):
        word = unescape_string_literal(part) if part[0] == part[-1] and part[0] in "\"'" and len(part) > 1 else part
        rows = rows.filter(_finds(rows.model, word))
    return rows


def _finds(model: type[Any], word: str) -> Q:
    columns = SEARCHED[model]
    found = _finds_here(columns, word)
    if not columns.owner:
        return found
    # As an OR over two tables no index would serve it; each half alone has its own.
    owner: Any = model._meta.get_field(columns.owner).related_model
    below = model._base_manager.filter(**{f"{columns.owner}__in": owner._base_manager.filter(_finds(owner, word))})
    return Q(pk__in=model._base_manager.filter(found).values("pk").union(below.values("pk")))


def _finds_here(columns: SearchedColumns, word: str) -> Q:
    found = Q()
    for name in columns.text:
        if len(word) >= TRIGRAM:
            found |= Q(**{f"{name}__icontains": word})
        else:
            found |= Q(**{f"{name}__istartswith": word}) | Q(**{f"{name}__icontains": f" {word}"})
    if word.isascii() and word.isdecimal() and len(word) <= 10 and int(word) <= LARGEST_ID:
        for name in columns.numbers:
            found |= Q(**{name: int(word)})
    for name in columns.guids:
        found |= Q(**{name: word.lower()})
    return found


# --- indexes --------------------------------------------------------------------------------


def install_search_indexes(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """Lay the trigram indexes on a PostgreSQL, where they are missing; receiver of ``post_migrate``.

    A role that may not create the extension ``pg_trgm`` gets none: searching finds the same, by reading whole tables,
    until somebody creates the extension and ``migrate`` runs again.
    """
    connection = connections[using]
    if connection.vendor != "postgresql":
        return
    existing = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        try:
            with transaction.atomic(using):
                cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except DatabaseError:
            return
        for model, columns in SEARCHED.items():
            table = model._meta.db_table
            if table in existing:
                parts = ", ".join(
                    f'UPPER("{model._meta.get_field(name).column}"::text) gin_trgm_ops' for name in columns.text
                )
                cursor.execute(f'CREATE INDEX IF NOT EXISTS "{table}_search" ON "{table}" USING gin ({parts})')
