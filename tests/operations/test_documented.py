"""docs/operations.md says what there is, and nothing else."""

from __future__ import annotations

import re

from mobjects.operations.readiness import CHECKS
from tests.files import ROOT


def table_of(heading):
    """The first column of each table of a section, without its head."""
    section = (ROOT / "docs/operations.md").read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)


def test_every_check_of_readiness_is_documented():
    assert [name for name in table_of("Alive and ready") if not name.startswith("/")] == list(CHECKS)
