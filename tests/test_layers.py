"""Imports point one way only; the contracts stand in pyproject.toml."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.files import ROOT, project_files

# Not the ones that are Django's own: which model a user is, and where the checkout stands.
OURS = re.compile(r"\bsettings\.(?!AUTH_USER_MODEL|BASE_DIR)[A-Z]")


def test_the_import_contracts_hold():
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def reads_settings(path):
    text = path.read_text(encoding="utf-8")
    return "from django.conf import settings\n" in text and OURS.search(text)


def test_our_settings_are_read_where_the_rules_say():
    app = ROOT / "mobjects"
    sources = [path for path in project_files(".py") if app in path.parents]
    readers = {str(path.relative_to(app)) for path in sources if reads_settings(path)}
    rules = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (rule,) = re.findall(r"^- Our settings are read in .+(?:\n  .+)*", rules, re.MULTILINE)
    assert set(re.findall(r"`(.+?\.py)`", rule)) == readers
