"""Which column of a file means which of ours: proposed by name or from memory, judged, and offered to choose from.

A mapping stands beside a file's headers and has, for each, the name of our column, ``""`` for a column that is left
out, or ``None`` for one that nobody has decided on yet.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from mobjects.models import Import, SavedMapping
from mobjects.resources import RESOURCES
from mobjects.resources.columns import REVISION, CustomColumn, FileColumn

MIN_NAMES = 2
"""A kind is guessed from at least so many headers."""
_IDS = {"Marketo ID", "Marketo GUID"}
_CORRECTION = re.compile(r"problems of import ([0-9]{1,18})", re.IGNORECASE)


def columns_of(kind: str) -> Sequence[FileColumn]:
    """Our columns that files of a kind may set, in the order of an export."""
    return [column for column in RESOURCES[kind]().columns if column.name != REVISION]


def known_names() -> set[str]:
    """The names and labels of all our columns, of all kinds, as :func:`normalise_header` gives them."""
    columns = [column for kind in RESOURCES for column in columns_of(kind)]
    named = {name for column in columns for name in (column.name, column.attribute.label)}
    return {normalise_header(name) for name in (*named, REVISION)}


def correction_header(pk: int) -> str:
    """The header of the last column of an import's error file."""
    return f"Problems of import {pk}"


def find_corrected_import(headers: Sequence[str], kind: str) -> Import | None:
    """The import whose error file has these headers; ``None`` if it is none, or was not an import of this kind."""
    for header in headers:
        found = _CORRECTION.fullmatch(header)
        if found and (imported := Import.objects.filter(kind=kind, pk=int(found[1])).first()):
            return imported
    return None


# --- what the file holds --------------------------------------------------------------------


def guess_kind(headers: Sequence[str]) -> str:
    """The kind of file that has these headers; "" if none can be told, or more than one."""
    for header in headers:
        found = _CORRECTION.fullmatch(header)
        if found and (corrected := Import.objects.filter(pk=int(found[1])).first()):
            return corrected.kind
    scores = {kind: score for kind in RESOURCES if (score := _kind_score(kind, headers))}
    best = max(scores.values(), default=None)
    kinds = [kind for kind, score in scores.items() if score == best]
    return kinds[0] if len(kinds) == 1 else ""


def _kind_score(kind: str, headers: Sequence[str]) -> tuple[bool, bool, int] | None:
    """How well headers fit a kind: mapped so before, complete, known names; ``None`` with fewer than two of these."""
    saved = find_saved_mapping(kind, headers) is not None
    names = {name for name in match_names(kind, headers) if name}
    return (saved, not missing_columns(kind, names), len(names)) if saved or len(names) >= MIN_NAMES else None


# --- proposing ------------------------------------------------------------------------------


def propose_mapping(kind: str, headers: Sequence[str]) -> list[str | None]:
    """What the columns of a file most probably mean.

    A set of headers that came before is mapped as it was then. Otherwise names decide: ours (which are Marketo's API
    names), then Marketo's display names; case, spaces and underscores do not matter. A header that matches nothing,
    or more than one column, is left undecided.

    Args:
        headers: as in the file; an empty one is left out, since a column without a name may hold nothing.
    """
    columns = columns_of(kind)
    known = {"", REVISION, *(column.name for column in columns)}
    saved = find_saved_mapping(kind, headers)
    before = saved.mapping if saved else {}
    return [before[header] if before.get(header) in known else _by_name(header, columns) for header in headers]


def match_names(kind: str, headers: Sequence[str]) -> list[str | None]:
    """What columns mean by their names alone; see :func:`propose_mapping`."""
    columns = columns_of(kind)
    return [_by_name(header, columns) for header in headers]


def find_saved_mapping(kind: str, headers: Sequence[str]) -> SavedMapping | None:
    """How files with just these headers, in any order, were mapped last."""
    return SavedMapping.objects.filter(kind=kind, headers_sha256=_fingerprint(headers)).first()


def save_mapping(imported: Import) -> None:
    """Keep the columns of an import for the next file with the same headers."""
    counts = Counter(imported.headers)
    decided = zip(imported.headers, imported.mapping, strict=True)
    SavedMapping.objects.update_or_create(
        kind=imported.kind,
        headers_sha256=_fingerprint(imported.headers),
        defaults={
            # A name that stands twice says nothing about either.
            "mapping": {
                header: name for header, name in decided if counts[header] == 1 and not _is_correction_header(header)
            },
            "constants": imported.constants,
            "blank_clears": imported.blank_clears,
            "username": imported.username,
        },
    )


def _fingerprint(headers: Sequence[str]) -> str:
    names = sorted(header for header in headers if not _is_correction_header(header))
    return hashlib.sha256(json.dumps(names).encode()).hexdigest()


def _is_correction_header(header: str) -> bool:
    return _CORRECTION.fullmatch(header) is not None


def _by_name(header: str, columns: Sequence[FileColumn]) -> str | None:
    if not header or _is_correction_header(header):
        return ""
    wanted = normalise_header(header)
    for matching in (
        [column.name for column in columns if column.name == header],
        [column.name for column in columns if normalise_header(column.name) == wanted],
        [REVISION] if normalise_header(REVISION) == wanted else [],
        [column.name for column in columns if normalise_header(column.attribute.label) == wanted],
    ):
        if matching:
            return matching[0] if len(matching) == 1 else None
    return None


def normalise_header(header: str) -> str:
    """A name without what does not matter in it: case, spaces and underscores."""
    return re.sub(r"[\s_]+", "", header).casefold()


# --- judging --------------------------------------------------------------------------------


def find_mapping_problems(
    kind: str, headers: Sequence[str], mapping: Sequence[str | None], constants: Mapping[str, str]
) -> list[str]:
    """Everything that stands between a mapping and a check, each a sentence.

    Args:
        kind: of the file.
        headers: as in the file.
        mapping: beside the headers.
        constants: name of our column to the text that every row has there.
    """
    columns = {column.name: column for column in columns_of(kind)}
    names = [name for name in mapping if name]
    found = [*_undecided(headers, mapping), *_unknown([*names, *constants], columns), *_twice(names)]
    found += _constant_problems(constants, columns, names)
    if missing := missing_columns(kind, {*names, *constants}):
        have = ", ".join(f"“{header}”" for header in headers if header)
        found.append(
            _("The file lacks %(missing)s. It has the columns %(have)s.")
            % {"missing": " and ".join(missing), "have": have}
        )
    return found


class ColumnGone(Exception):
    """A column that a file was mapped to is not there any more; the message says so to a person.

    Args:
        name: of the column.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            gettext_noop("There is no column “%(name)s” here any more; say what the columns mean once more.")
            % {"name": name}
        )


def refuse_gone_columns(imported: Import, columns: Iterable[FileColumn]) -> None:
    """See that all columns that a file was mapped to are still there.

    Args:
        imported: says what its columns mean.
        columns: all of its kind, read at this moment.

    Raises:
        ColumnGone: a custom field was deleted since.
    """
    known = {column.name: column for column in columns}
    if gone := _unknown_names([name for name in (*imported.mapping, *imported.constants) if name], known):
        raise ColumnGone(gone[0])


def missing_columns(kind: str, names: Collection[str]) -> list[str]:
    """The columns that a file with the named ones lacks to say which records its rows mean, in words."""
    have = set(names)
    if kind == "opportunities":
        keys = _("a key column (“Marketo ID”, “Marketo GUID” or “External ID”)")
        return [] if have & {"External ID", *_IDS} else [keys]
    missing = [_("the column “%(name)s”") % {"name": name} for name in _needed(kind, have) if name not in have]
    if kind == "roles" and not have & {"Person ID", "Person Key", *_IDS}:
        missing.append(_("“Person ID” or “Person Key”"))
    return missing


def _needed(kind: str, have: set[str]) -> tuple[str, ...]:
    if kind == "programs":
        return ("Marketo ID",)
    if kind == "program-tags":
        return ("Program ID", "Type")
    if kind == "program-costs":
        return ("Program ID",) if "Cost ID" in have else ("Program ID", "Month", "Amount")
    return () if have & _IDS else ("Opportunity", "Role")


def _undecided(headers: Sequence[str], mapping: Sequence[str | None]) -> list[str]:
    return [
        _("%(column)s is not matched yet: choose what it means, or leave it out.")
        % {"column": _column(header, position)}
        for position, (header, name) in enumerate(zip(headers, mapping, strict=True), 1)
        if name is None
    ]


def _column(header: str, position: int) -> str:
    return (
        _("Column “%(header)s”") % {"header": header}
        if header
        else _("Column %(position)s, which has no name,") % {"position": position}
    )


def _unknown(names: Sequence[str], columns: Mapping[str, FileColumn]) -> list[str]:
    return [_("There is no column “%(name)s” here.") % {"name": name} for name in _unknown_names(names, columns)]


def _unknown_names(names: Sequence[str], columns: Mapping[str, FileColumn]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name not in columns and name != REVISION]


def _twice(names: Sequence[str]) -> list[str]:
    return [
        _("%(count)s columns of the file mean “%(name)s”: choose one, and leave out the others.")
        % {"count": count, "name": name}
        for name, count in Counter(names).items()
        if count > 1
    ]


def _constant_problems(
    constants: Mapping[str, str], columns: Mapping[str, FileColumn], names: Sequence[str]
) -> list[str]:
    found = []
    for name, text in constants.items():
        if name in names:
            found.append(
                _("“%(name)s” stands in the file, so it cannot be the same in all rows as well.") % {"name": name}
            )
        elif name == REVISION:
            found.append(
                _("“%(revision)s” comes from an export; it cannot be the same in all rows.") % {"revision": REVISION}
            )
        elif name in columns and (problem := _problem_of(columns[name], text)):
            found.append(f"{name}: {problem}")
    return found


def _problem_of(column: FileColumn, text: str) -> str:
    try:
        column.parse_cell(text)
    except ValueError as error:
        return str(error)
    return ""


# --- choosing -------------------------------------------------------------------------------


def column_choices(kind: str) -> list[tuple[str, str, str]]:
    """What a column of a file may mean, for a drop-down: (value, label, group), in the order to show them."""
    offered = [("", _("Leave out"), "")]
    for column in columns_of(kind):
        label = column.attribute.label
        shown = column.name if normalise_header(label) == normalise_header(column.name) else f"{column.name} ({label})"
        group = _("Custom fields") if isinstance(column, CustomColumn) else "Columns"
        offered.append((column.name, shown, group))
    return [*offered, (REVISION, _("Revision (finds what was changed here since the export)"), "Other")]
