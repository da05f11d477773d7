"""What a sheet's XML says besides its cells: which are merged, and whether rows or columns are hidden."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import IO

from mobjects.spreadsheets.workbooks.xml_parsing import Attributes, XmlParser, parse_list

_LIST = "worksheet/sheetData"
_HIDDEN = ("1", "true")


class SheetNotes:
    """Reads all of a sheet but its cells.

    Args:
        add_merged: is called with each range of merged cells, such as ``A2:B2``.
    """

    def __init__(self, add_merged: Callable[[str], None]) -> None:
        self._add_merged = add_merged
        self.has_hidden = False

    def read_sheet(self, stream: IO[bytes]) -> None:
        """Read the XML of a sheet."""
        for _ in parse_list(stream, XmlParser(self._start), _LIST, "row", self._skip_rows):
            pass

    def _start(self, path: str, attributes: Attributes) -> None:
        if path in (f"{_LIST}/row", "worksheet/cols/col"):
            self.has_hidden = self.has_hidden or attributes.get("hidden") in _HIDDEN
        elif path == "worksheet/mergeCells/mergeCell":
            self._add_merged(attributes["ref"].replace("$", ""))

    def _skip_rows(self, chunk: bytes, prefix: str) -> bool:
        if b"sheetData" in chunk or b"<!" in chunk:
            return False
        if not self.has_hidden and b"hidden=" in chunk:
            tag = f"{re.escape(prefix)}:" if prefix else ""
            found = re.search(rf'<{tag}row\s[^<>]*?\bhidden="(?:1|true)"'.encode(), chunk)
            self.has_hidden = found is not None
        return True
