"""What was learned of the Marketo instance by asking it (``manage.py probe_marketo``)."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_noop as _

from mobjects import clock
from mobjects.db.retry import retry_on_database_error
from mobjects.marketo.probing import Confirmation, InstanceFacts, ProbeAnswer
from mobjects.models import InstanceAnswer


def load_facts(endpoint: str) -> InstanceFacts:
    """What is known of one instance, by which the transport may go."""
    found = InstanceAnswer.objects.filter(endpoint=endpoint).exclude(fact="")
    return dict(found.values_list("name", "fact"))


def list_answers(endpoint: str) -> Sequence[InstanceAnswer]:
    """All answers of an instance, in the order in which they were first asked."""
    return list(InstanceAnswer.objects.filter(endpoint=endpoint))


def set_confirmation(endpoint: str, confirmation: Confirmation, *, by: str, allowed: bool) -> None:
    """Write down that a person allows something for an instance, or does so no longer.

    Args:
        by: the person's name, kept with the answer.
    """
    words = (_("Yes, said %(by)s.") if allowed else _("No longer, said %(by)s.")) % {"by": by}
    store_answer(endpoint, ProbeAnswer(confirmation.name, confirmation.question, words, "yes" if allowed else "no"))


@retry_on_database_error
def store_answer(endpoint: str, answer: ProbeAnswer) -> None:
    """Keep an answer in place of the last one to the same question."""
    given = {"question": answer.question, "answer": answer.answer, "fact": answer.fact, "asked_at": clock.now()}
    InstanceAnswer.objects.update_or_create(given, endpoint=endpoint, name=answer.name)
