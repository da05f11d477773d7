"""E-mail, through Django's own settings of it."""

from __future__ import annotations

import smtplib
from contextlib import ExitStack

from django.core.mail import EmailMessage, get_connection
from django.core.mail.utils import DNS_NAME
from django.utils import timezone, translation
from django.utils.translation import gettext_noop as _

from mobjects.models import Notice, NoticeDelivery
from mobjects.notices import notice_settings
from mobjects.notices.channels.base import Channel, PassingError, PermanentError
from mobjects.notices.choices import list_readers
from mobjects.notices.wording import describe_delivery


class EmailChannel(Channel):
    """A message to each reader who has an address, in their language and time zone."""

    name = "email"

    def find_receivers(self, notice: Notice) -> list[NoticeDelivery]:
        if not notice_settings.has_email():
            return []
        readers = list_readers(notice, self.name)
        return [NoticeDelivery(notice=notice, channel=self.name, user=user) for user in readers if user.email]

    def send(self, delivery: NoticeDelivery) -> str:
        user = delivery.user
        if user is None or not user.email:
            raise PermanentError(_("The user has no e-mail address."))
        if not notice_settings.has_email():
            raise PermanentError(_("The site has no mail server; see EMAIL_HOST."))
        chosen = getattr(user, "person_settings", None)
        with ExitStack() as held:
            held.enter_context(translation.override((chosen and chosen.language) or "en"))
            held.enter_context(timezone.override((chosen and chosen.time_zone) or "UTC"))
            said = describe_delivery(delivery)
        body = "\n\n".join(part for part in (said.detail, said.advice, said.url) if part)
        headers = {
            # The same at each try: a mailbox that got it twice shows it once.
            "Message-ID": f"<notice-{delivery.pk}.{int(delivery.created_at.timestamp())}@{DNS_NAME.get_fqdn()}>",
            "Auto-Submitted": "auto-generated",
        }
        subject = " ".join(said.title.split())
        message = EmailMessage(subject, body, to=[user.email], headers=headers, connection=get_connection())
        try:
            message.send()
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise _explain(error) from None
        return _("The mail server took it.")


def _explain(error: Exception) -> PassingError | PermanentError:
    """Whether another try may succeed. What the server says may repeat a password, so only its number is kept."""
    if isinstance(error, ValueError):  # A line break in an address, say.
        return PermanentError(_("The message cannot be written: is the e-mail address right?"))
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return PassingError(_("The mail server refused the site’s user or password; see EMAIL_USER."))
    code = 0
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = max((answer[0] for answer in error.recipients.values()), default=0)
    elif isinstance(error, smtplib.SMTPResponseException):
        code = error.smtp_code
    if code >= 500:
        return PermanentError(_("The mail server refused the message for good (%(code)s).") % {"code": code})
    if code:
        return PassingError(_("The mail server refused the message for now (%(code)s).") % {"code": code})
    return PassingError(_("The mail server could not be reached (%(error)s).") % {"error": type(error).__name__})
