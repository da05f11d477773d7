"""Learning from Marketo how many calls other integrations make: they use up the same quota."""

from __future__ import annotations

import logging

from mobjects.marketo.errors import MarketoError
from mobjects.sync.task import JobContext, WaitRequired

logger = logging.getLogger(__name__)


def learn_calls_of_others(context: JobContext) -> None:
    """Ask Marketo, if it tells and nobody has asked for some minutes. Where it does not answer, the last answer counts.

    Not kept in the history: it is about no record.
    """
    if not context.keys.traits.tells_calls or not context.rate_limiter.claim_reading():
        return
    try:
        with context.rate_limiter.permit_call():
            answered = context.transport.calls_today()
    except WaitRequired:
        return
    except MarketoError as error:
        logger.info("Marketo did not say how many calls were made today: %s", error.message)
        return
    context.rate_limiter.note_calls_of_all(answered.count)
