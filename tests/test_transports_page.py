"""docs/transports.md prints the interface and the errors as they are in the code."""

from __future__ import annotations

import ast
import re
from contextlib import suppress

import pytest

from mobjects.marketo.errors import MarketoError
from mobjects.marketo.types import Exchange, Kind
from mobjects.models import Circuit, SyncJobAction, SyncResultStatus
from mobjects.sync.retry_policy import RULES
from mobjects.sync.send.selection import SyncSelection
from mobjects.sync.send.task import SendTask
from tests import factories
from tests.files import ROOT
from tests.support import memory, telex


def table(heading):
    """The lines of the table under a heading, without its head."""
    text = (ROOT / "docs/transports.md").read_text(encoding="utf-8")
    section = text.split(f"## {heading}\n")[1].split("\n#")[0]
    return [line for line in section.splitlines() if line.startswith("| ")][1:]


def in_markdown(docstring):
    """The first line of a docstring as a page writes it."""
    return re.sub(r":\w+:`|``", "`", docstring.strip().splitlines()[0])


def members():
    """Each attribute and method of the interface, with the first line that is said about it."""
    module = ast.parse((ROOT / "mobjects/marketo/transport.py").read_text(encoding="utf-8"))
    (interface,) = [node for node in module.body if isinstance(node, ast.ClassDef) and node.name == "MarketoTransport"]
    for node, following in zip(interface.body, [*interface.body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign):
            yield node.target.id, following.value.value
        elif isinstance(node, ast.FunctionDef):
            arguments = ", ".join(argument.arg for argument in node.args.args[1:])
            yield f"{node.name}({arguments})", ast.get_docstring(node)


def result_of(rule):
    """What a rule makes of the records of a batch of two, in the words of the history."""
    Circuit.objects.all().delete()
    failed = rule.error("It failed.", trouble=rule.trouble, exchange=Exchange("asked"))
    chosen = SyncSelection(kinds=(Kind.OPPORTUNITY,), ids=tuple(factories.opportunity().pk for _ in range(2)))
    transport = telex.TelexTransport(telex.SETTINGS, [], failing=failed)
    context = memory.context(transport, chosen.to_json(), SyncJobAction.SEND)
    with suppress(MarketoError):
        SendTask(context).step()
    (status,) = set(context.job.results.values_list("status", flat=True))
    return SyncResultStatus(status).label


def test_the_interface_is_printed_whole():
    assert table("The interface") == [f"| `{name}` | {in_markdown(said)} |" for name, said in members()]


@pytest.mark.django_db
def test_the_errors_are_printed_with_what_is_done_about_them():
    assert table("Errors") == [
        f"| `{rule.error.__name__}`{f', {rule.trouble}' if rule.trouble else ''} | {in_markdown(rule.error.__doc__)} "
        f"| {rule.action} | {result_of(rule)} |"
        for rule in RULES
    ]
