"""Files of opportunities: the Marketo ID, else our external ID, says which one a row means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from mobjects.imports.cell_parser import Item, Text
from mobjects.imports.duplicates import Once
from mobjects.imports.staging import Finding
from mobjects.imports.validators.base import Kind, merged
from mobjects.imports.validators.record_lookup import FIXED, Record
from mobjects.models import Opportunity

_ID, _EXTERNAL, _NAME, _COMPANY_ID, _COMPANY_KEY = range(FIXED, FIXED + 5)
_SENT_AS = {"Company ID": "Company ID", "Company Key": "Company key", "Marketo ID": ""}


class Opportunities(Kind):
    """Judges rows of opportunities."""

    noun = "opportunity"
    model = Opportunity
    more = ("marketo_id", "external_id", "name", "company_id", "company_key")
    key_names: ClassVar = ("Marketo ID", "External ID")

    def findings(self, items: Sequence[Item]) -> Iterator[Finding]:
        ids = {value for item in items if (value := self.value(item, "Marketo ID"))}
        keys = {value for item in items if (value := self.value(item, "External ID"))}
        by_id = {record[_ID]: record for record in self.lookup.by("marketo_id", [int(value) for value in ids])}
        by_key = {record[_EXTERNAL]: record for record in self.lookup.by("external_id", keys)}
        for item in items:
            yield self._judged(item, by_id, by_key)

    def _judged(self, item: Item, by_id: dict[Text, Record], by_key: dict[Text, Record]) -> Finding:
        marketo_id, external_id = self.value(item, "Marketo ID"), self.value(item, "External ID")
        record = merged(
            self, item, by_id.get(marketo_id) if marketo_id else None, by_key.get(external_id), "External ID", _name
        )
        if "" not in item.failed:
            if not marketo_id and not external_id and item.failed.isdisjoint(self.key_names):
                self.complain(item, "", "has neither a Marketo ID nor an External ID; give one of them.")
            self.require(item, record)
            self._check(item, record, external_id)
        label = self.value(item, "Name") or (record[_NAME] if record else external_id or marketo_id or "")
        return self.finish(item, record, label, key=external_id or "", marketo_id=marketo_id)

    def _check(self, item: Item, record: Record | None, external_id: Text) -> None:
        untidy = external_id and (external_id[0].isspace() or external_id[-1].isspace())
        if external_id and untidy and (record is None or record[_EXTERNAL] != external_id):
            self.complain(item, "External ID", "starts or ends with a space.", external_id.strip())
        company_id = self._now(item, record, "Company ID", _COMPANY_ID)
        if company_id and self._now(item, record, "Company Key", _COMPANY_KEY):
            name = "Company Key" if "Company Key" in self.index else "Company ID"
            self.complain(item, name, "give the Company ID or the Company Key, not both.")

    def _now(self, item: Item, record: Record | None, name: str, place: int) -> Text:
        """The value after the import."""
        if name in self.index:
            return self.value(item, name)
        return record[place] if record else None

    def once(self) -> list[Once]:
        rules = [
            Once(field, name, self.position(name))
            for field, name in (("marketo_id", "Marketo ID"), ("key", "External ID"))
            if name in self.index
        ]
        return [*rules, Once("record_id")] if len(rules) == 2 else rules

    def accepted_name(self, place: int) -> str:
        name = self.written[place].name
        if name == "External ID":
            return str(self.key_fields.opportunity)
        return _SENT_AS.get(name, name)


def _name(record: Record) -> str:
    return str(record[_NAME])
