"""Finding records by what people type.

Each word has to be found: in a name or key, or as a whole Marketo ID or GUID. Words of three letters and more are found
anywhere; shorter ones of Latin letters where a word begins, since a trigram index knows nothing shorter. On PostgreSQL
the texts are searched in tables of their own, see :mod:`mobjects.db.search_tables`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.db import connections, models
from django.db.models import Q
from django.db.models.expressions import RawSQL
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


def search_table(model: type[models.Model]) -> str:
    """Name of the table in which a model's texts are searched, on PostgreSQL."""
    return f"{model._meta.db_table}_search"


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
        quoted = part[0] in "\"'" and part[0] == part[-1] and len(part) > 1
        if word := unescape_string_literal(part).strip() if quoted else part:
            rows = rows.filter(_finds(rows.model, word, in_tables=connections[rows.db].vendor == "postgresql"))
    return rows


def _finds(model: type[Any], word: str, *, in_tables: bool) -> Q:
    columns = SEARCHED[model]
    text = Q(pk__in=_text_in_table(model, word)) if in_tables else _text_in_columns(columns, word)
    others = [_as_whole(columns, word)]
    if columns.owner:
        owner: Any = model._meta.get_field(columns.owner).related_model
        found = owner._base_manager.filter(_finds(owner, word, in_tables=in_tables))
        others.append(Q(**{f"{columns.owner}__in": found.values("pk")}))
    parts = [model._base_manager.filter(each).order_by().values("pk") for each in (text, *filter(None, others))]
    # As an OR no index would serve them; each by itself has its own.
    return text if len(parts) == 1 else Q(pk__in=parts[0].union(*parts[1:]))


def _text_in_table(model: type[models.Model], word: str) -> RawSQL:
    escaped = re.sub(r"([\\%_])", r"\\\1", word)
    pattern = f"%{escaped}%" if _is_found_inside(word) else f"% {escaped}%"
    return RawSQL(  # noqa: S611 -- a name of our own, and a parameter
        f'SELECT id FROM "{search_table(model)}" WHERE text LIKE UPPER(%s)', [pattern]
    )


def _is_found_inside(word: str) -> bool:
    """Whether a word is found within others; two letters are a word in Korean, and hardly one in English."""
    return len(word) >= TRIGRAM or not word.isascii()


def _text_in_columns(columns: SearchedColumns, word: str) -> Q:
    found = Q()
    for name in columns.text:
        if _is_found_inside(word):
            found |= Q(**{f"{name}__icontains": word})
        else:
            found |= Q(**{f"{name}__istartswith": word}) | Q(**{f"{name}__icontains": f" {word}"})
    return found


def _as_whole(columns: SearchedColumns, word: str) -> Q:
    """That a number or GUID is exactly the word; an empty condition if it can be none."""
    found = Q()
    if word.isascii() and word.isdecimal() and len(word) <= 10 and int(word) <= LARGEST_ID:
        found |= Q(*((name, int(word)) for name in columns.numbers), _connector=Q.OR) if columns.numbers else Q()
    if re.fullmatch(r"[0-9A-Fa-f-]{36}", word):
        found |= Q(*((name, word.lower()) for name in columns.guids), _connector=Q.OR) if columns.guids else Q()
    return found
