"""The description holds: whatever is sent, the API answers as described, and never with an error of its own.

Schemathesis makes the requests out of the description: the same ones each time, some hundreds. Half of the ids are
those of something that there is, so that it gets beyond “not found”.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from marketo_admin.wsgi import application
from mobjects.models import Schedule
from tests import factories
from tests.api.clients import ApiClient, token
from tests.views import pages
from tests.views.imports.made_imports import imported

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups")]

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 12
PATIENT = hypothesis.settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),
)


def keep_connection() -> None:
    """A server closes the connection to the database between requests, and with it the transaction of the test.

    Django's own client keeps it, and has it closed again afterwards.
    """
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)


@pytest.fixture
def one_connection() -> Iterator[None]:
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def known(one_connection, queue, marketo_settings, settings) -> dict[str, Any]:
    """Something of each kind, by how its addresses begin."""
    settings.ACCOUNTS = {**settings.ACCOUNTS, "API_PER_MINUTE": 100_000}
    program, deal, job = factories.program(), factories.opportunity(), pages.job()
    pages.result(job, batch=pages.batch(job), status="FAILED")
    factories.cost(program)
    factories.tag(program)
    plan = Schedule.objects.create(name="Daily", action="send", kinds=["Opportunity"], cron="0 6 * * *")
    found: dict[str, Any] = {"programs": program, "opportunities": deal, "roles": factories.role(deal)}
    found |= {"jobs": job, "imports": imported(), "schedules": plan}
    return {name: each.pk for name, each in found.items()}


def try_operation(operation: Any, api: ApiClient, known: dict[str, Any]) -> set[int]:
    """Ask one address in many ways; the statuses that it answered with."""
    kind, seen = operation.path.removeprefix("/api/v1/").partition("/")[0], set()

    @PATIENT
    @hypothesis.given(case=operation.as_strategy(), real=st.booleans())
    def ask(case: Any, real: bool) -> None:
        if real and "pk" in (case.path_parameters or {}):
            case.path_parameters["pk"] = str(known[kind])
            if case.method.upper() == "PATCH":
                case.headers = {**(case.headers or {}), "If-Match": api.get(f"{kind}/{known[kind]}")["ETag"]}
        keep_connection()
        answer = case.call(headers={**api.headers, "accept-encoding": "identity"})
        case.validate_response(answer, checks=CHECKS)
        seen.add(answer.status_code)

    ask()
    return seen


@pytest.mark.timeout(360)  # Some hundreds of requests: 20 s of processor time.
def test_each_address_answers_as_it_is_described(known):
    boss = factories.user("boss")
    boss.is_superuser = True
    boss.save()
    api = ApiClient(token(boss)[1])
    keep_connection()
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application, headers=api.headers)
    found = [each.ok() for each in schema.get_all_operations()]
    seen = {operation.label: try_operation(operation, api, known) for operation in found}
    # It is more than refusals: most addresses did something.
    done = [label for label, statuses in seen.items() if statuses & {200, 201}]
    assert len(done) > len(seen) / 2, seen
