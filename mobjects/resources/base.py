"""How a file becomes records: the part that all kinds share, on top of django-import-export.

Records that a file names are loaded once per file, new ones are inserted in bulk, and only what changed is
written. Nothing here raises ``revision``: the database does (:mod:`mobjects.triggers`), bulk inserts included.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from import_export.fields import Field
from import_export.instance_loaders import BaseInstanceLoader
from import_export.resources import ModelResource
from import_export.results import Result

from mobjects.marketo.contract import Value
from mobjects.models import SyncedRecord
from mobjects.resources.columns import Column, LinkColumn, display, match_headers, same
from mobjects.resources.results import Change, ImportedRow, RowInput, RowRefused
from mobjects.tabular import FileRefused, Sheet

Keys = dict[str, Value]
"""A row's readable key cells by column name."""

ModelT = TypeVar("ModelT", bound=models.Model)

_CHUNK = 500  # Values in one IN (...); SQLite's limit for a statement is far above.


def in_chunks(queryset: models.QuerySet[ModelT], field: str, wanted: Iterable[Any]) -> Iterator[ModelT]:
    """Load the records whose ``field`` has one of the wanted values; ``None`` and empty ones are left out."""
    values = sorted({value for value in wanted if value not in (None, "")})
    for start in range(0, len(values), _CHUNK):
        yield from queryset.filter(**{f"{field}__in": values[start : start + _CHUNK]})


class RecordLoader(BaseInstanceLoader):
    """Has the resource load everything a file refers to, before its first row."""

    def __init__(self, resource: TransferResource, dataset: Sheet) -> None:
        super().__init__(resource, dataset)
        resource.load(dataset)


class TransferResource(ModelResource):
    """Base of our resources.

    A subclass gives the columns and says how a row finds its record (:meth:`prefetch`, :meth:`locate`).
    """

    KIND: ClassVar[str]
    NOUN: ClassVar[str]
    key_names: ClassVar[tuple[str, ...]]
    kept_ids: ClassVar[tuple[str, ...]] = ("Marketo ID",)

    class Meta:
        fields = ()
        import_id_fields = ()
        instance_loader_class = RecordLoader
        use_transactions = True
        use_bulk = True  # For inserts only, see save_instance.
        batch_size = 1000
        skip_diff = True  # import-export's own copies each record and compares HTML.
        skip_unchanged = True
        report_skipped = True
        clean_model_instances = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.columns: Sequence[Column] = self.get_columns()
        self.by_name = {column.name: column for column in self.columns}
        # Only for import-export's pages, which list them.
        self.fields = {column.name: Field(column.field, column.name) for column in self.columns}
        self.numbers: Sequence[int] = ()
        self.seen: dict[Hashable, int] = {}
        self.row = RowInput(0, 0, {})
        self.before: dict[str, Value] = {}
        self.changes: list[Change] = []

    # --- what a kind says about itself -------------------------------------------------------------------------

    def get_columns(self) -> Sequence[Column]:
        """The columns, in the order of an export."""
        raise NotImplementedError

    def missing_columns(self, names: set[str]) -> list[str]:
        """The columns that a file with the named ones lacks, in words."""
        raise NotImplementedError

    def prefetch(self, keys: Sequence[Keys]) -> None:
        """Load the records that the rows with these keys may mean; bad cells are left out of ``keys``."""
        raise NotImplementedError

    def locate(self, row: RowInput) -> models.Model | None:
        """Find the record a row means; ``None`` if it is new. What is wrong is noted on the row."""
        raise NotImplementedError

    def tokens(self, row: RowInput, instance: models.Model | None) -> Iterator[tuple[str, Hashable]]:
        """What may stand in a file once: (column, anything that identifies it)."""
        raise NotImplementedError

    def link(self, instance: Any, row: RowInput) -> None:
        """Point the record to the records its row names."""

    def check(self, instance: Any, row: RowInput) -> None:
        """Note broken rules that concern several fields. They stand in the database too, without a column."""

    # --- export ------------------------------------------------------------------------------------------------

    def export(self, queryset: models.QuerySet[Any] | None = None, **kwargs: Any) -> Sheet:
        """Give the records as a sheet of typed values; a format makes them cells."""
        queryset = self.get_queryset().order_by("pk") if queryset is None else queryset
        queryset = queryset.select_related(*self.links())
        sheet = self.template()
        for instance in self.iter_queryset(queryset):
            sheet.append([column.get(instance) for column in self.columns])
        return sheet

    def template(self) -> Sheet:
        """Give a sheet of headers alone."""
        return Sheet(
            [column.name for column in self.columns],
            [column.name for column in self.columns if column.is_text],
        )

    def links(self) -> list[str]:
        """Names of the foreign keys that columns lead through."""
        return [column.field for column in self.columns if isinstance(column, LinkColumn)]

    # --- import: the file --------------------------------------------------------------------------------------

    def import_data(self, dataset: Sheet, dry_run: bool = False, **kwargs: Any) -> Result:
        """Import a sheet, all of it or nothing.

        Args:
            dataset: as read from the file; its headers are replaced by ours.
            dry_run: do everything, then roll it back.
            kwargs: see import-export.

        Returns:
            import-export's result; :func:`mobjects.resources.results.summarise` makes it readable.
        """
        kwargs |= {"use_transactions": True, "rollback_on_validation_errors": True}
        return super().import_data(dataset, dry_run, **kwargs)

    def before_import(self, dataset: Sheet, **kwargs: Any) -> None:
        try:
            names = match_headers(dataset.headers, self.columns)
            if missing := self.missing_columns(set(names)):
                have = ", ".join(f"“{name}”" for name in names if name)
                raise FileRefused(f"The file lacks {' and '.join(missing)}. It has the columns {have}.")
        except FileRefused:
            dataset.wipe()  # import-export goes on to the rows otherwise.
            raise
        dataset.headers = names
        self.numbers = dataset.numbers

    def after_import(self, dataset: Sheet, result: Result, **kwargs: Any) -> None:
        """Do nothing: import-export would reset the id sequence, but we never import local ids."""

    @classmethod
    def get_row_result_class(cls) -> type[ImportedRow]:
        return ImportedRow

    def load(self, dataset: Sheet) -> None:
        """Load what the file refers to."""
        self.seen = {}
        if dataset.headers:
            self.prefetch([self._keys(dict(zip(dataset.headers, row, strict=True))) for row in dataset])

    def _keys(self, cells: dict[str, Any]) -> Keys:
        keys: Keys = {}
        for name in self.key_names:
            if name in cells:
                try:
                    keys[name] = self.by_name[name].parse(cells[name])
                except ValueError:
                    continue  # Reported when the row's turn comes.
        return keys

    # --- import: a row -----------------------------------------------------------------------------------------

    def import_row(self, row: dict[str, Any], instance_loader: RecordLoader, **kwargs: Any) -> ImportedRow:
        index = kwargs["row_number"] - 1
        self.row = RowInput(index, self.numbers[index], row)
        self.changes = []
        result: ImportedRow = super().import_row(row, instance_loader, **kwargs)
        result.number, result.changes, result.warnings = self.row.number, self.changes, self.row.warnings
        return result

    def before_import_row(self, row: dict[str, Any], **kwargs: Any) -> None:
        for name, cell in row.items():
            if name:
                try:
                    self.row.values[name] = self.by_name[name].parse(cell)
                except ValueError as error:
                    self.row.problem(name, str(error))

    def get_or_init_instance(self, instance_loader: RecordLoader, row: dict[str, Any]) -> tuple[models.Model, bool]:
        found = self.locate(self.row)
        for column, token in self.tokens(self.row, found):
            first = self.seen.setdefault(token, self.row.number)
            if first != self.row.number:
                self.row.problem(column, f"rows {first} and {self.row.number} mean the same {self.NOUN}; keep one.")
                break
        return (self.init_instance(row), True) if found is None else (found, False)

    def after_init_instance(self, instance: Any, new: bool, row: dict[str, Any], **kwargs: Any) -> None:
        self.before = {} if new else {name: self.by_name[name].get(instance) for name in self.row.values}

    def import_instance(self, instance: Any, row: dict[str, Any], **kwargs: Any) -> None:
        new = instance._state.adding
        if new and not self.row.failed("", *self.key_names):
            self._require(column for column in self.columns if column.name not in self.row.values)
        self.link(instance, self.row)
        for name, value in self.row.values.items():
            if not self.row.failed(name):
                self._assign(self.by_name[name], instance, value)
        self._compare(instance, new=new)

    def _require(self, columns: Iterable[Column]) -> None:
        for column in columns:
            if column.required and not self.row.failed(column.name):
                self.row.problem(column.name, f"a new {self.NOUN} needs this column.")

    def _assign(self, column: Column, instance: Any, value: Value) -> None:
        if column.required and (value is None or str(value).strip() == ""):
            if not same(self.before.get(column.name), value) or instance._state.adding:
                self.row.problem(column.name, "must not be empty.")
        elif value is None and column.name in self.kept_ids:
            return  # An id that is known is not forgotten because a file does not know it.
        elif not isinstance(column, LinkColumn):
            column.set(instance, value)

    def _compare(self, instance: Any, *, new: bool) -> None:
        if self.row.problems:
            return
        for name in self.row.values:
            old, now = self.before.get(name), self.by_name[name].get(instance)
            if not same(old, now):
                self.changes.append(Change(name, display(old), display(now)))

    def skip_row(self, instance: Any, original: Any, row: dict[str, Any], errors: Any = None) -> bool:
        return not (instance._state.adding or self.row.problems or self.changes)

    # --- import: checking and saving a record ------------------------------------------------------------------

    def validate_instance(self, instance: Any, errors: Any = None, validate_unique: bool = True) -> None:
        """Check the fields that the file sets, and the rules between them.

        Uniqueness was checked when the record was looked up; asking the database again, constraint by
        constraint, would cost up to seven queries a row.
        """
        set_here = {self.by_name[name].field for name in self.row.values if not self.row.failed(name)}
        others = {field.name for field in instance._meta.fields} - (set_here - set(self.links()))
        self._note(lambda: instance.clean_fields(exclude=others))
        if not self.row.problems:
            self._note(lambda: self.clean_instance(instance))
            self.check(instance, self.row)
        if self.row.problems:
            places = ["", *self.by_name]
            raise RowRefused(sorted(self.row.problems, key=lambda problem: places.index(problem.column)))

    def clean_instance(self, instance: models.Model) -> None:
        """Run the model's own checks."""
        instance.clean()

    def _note(self, check: Any) -> None:
        names = {column.field: column.name for column in self.columns}
        try:
            check()
        except ValidationError as error:
            found = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
            for field, messages in found.items():
                for message in messages:
                    self.row.problem(names.get(field, ""), message)

    def save_instance(self, instance: Any, is_create: bool, row: dict[str, Any], **kwargs: Any) -> None:
        """Queue a new record for the next bulk insert; write the changed fields of an existing one."""
        if is_create:
            self.create_instances.append(instance)
            return
        fields = {self.by_name[change.column].field for change in self.changes}
        try:
            with transaction.atomic():
                self._update(instance, fields)
        except IntegrityError as error:
            self.row.problem("", f"the database refused the row: {_constraint_words(instance, error)}")
            raise RowRefused(self.row.problems) from error

    def _update(self, instance: Any, fields: set[str]) -> None:
        if isinstance(instance, SyncedRecord):
            fields = fields | {"modified_at"}
            if "marketo_id" in fields:
                # A sync that runs meanwhile may have brought another one.
                unknown = type(instance)._default_manager.filter(pk=instance.pk, marketo_id=None)
                if not unknown.update(marketo_id=instance.marketo_id):
                    raise IntegrityError("Marketo gave the record an ID a moment ago; import the file again.")
                fields = fields - {"marketo_id"}
        instance.save(update_fields=fields)


def _constraint_words(instance: models.Model, error: IntegrityError) -> str:
    """Say in words which rule an error is about; databases name it each in their own way."""
    try:
        instance.validate_unique()
        instance.validate_constraints()
    except ValidationError as problem:
        return " ".join(problem.messages)
    return str(error)
