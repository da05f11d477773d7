"""The examples of docs/api.md do what they say."""

from __future__ import annotations

import os
import re
import subprocess

from django.contrib.auth.models import User

from mobjects.models import Import, Opportunity, Schedule, SyncJob
from tests import factories
from tests.api.clients import token
from tests.files import ROOT


def examples() -> list[str]:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    return [
        each for each in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL) if "TOKEN=ma_" not in each
    ]


def test_the_examples_run(transactional_db, live_server, groups, queue, marketo_settings, tmp_path):
    anna: User = factories.user("anna", group="operator")
    variables = {"SITE": live_server.url, "TOKEN": token(anna)[1], "PATH": os.environ["PATH"]}
    for example in examples():
        # A problem is an error of curl's, as in a script that cares.
        script = 'set -eu; curl() { command curl --fail-with-body "$@"; }\n' + example
        done = subprocess.run(
            ["bash", "-c", script], env=variables, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{example}\n{done.stdout}\n{done.stderr}"
    assert Opportunity.objects.get(name="Spring deal").stage == "Won"
    assert Import.objects.get().file_name == "deals.csv"
    assert SyncJob.objects.get().action == "dry_run"
    assert Schedule.objects.get().name == "Nightly"
