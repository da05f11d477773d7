"""docs/operations.md says what there is, and nothing else."""

from __future__ import annotations

import re

from marketo_admin.metrics import HTTP_SECONDS
from mobjects.operations.metric_families import METRICS, PREFIX
from mobjects.operations.readiness import CHECKS
from tests.files import ROOT


def table_of(heading):
    """The first column of each table of a section, without its head."""
    section = (ROOT / "docs/operations.md").read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)


def test_every_check_of_readiness_is_documented():
    assert [name for name in table_of("Alive and ready") if not name.startswith("/")] == list(CHECKS)


def test_every_metric_is_documented_with_its_labels():
    rows = re.findall(r"^\| `marketo_admin_(\w+)` \| ([^|]*)\|", (ROOT / "docs/operations.md").read_text("utf-8"), re.M)
    declared = [(metric.name, ", ".join(metric.labels)) for metric in METRICS]
    assert [(name, labels.strip()) for name, labels in rows] == [*declared, ("http_seconds", "method, status")]
    assert HTTP_SECONDS.describe()[0].name == f"{PREFIX}http_seconds"
