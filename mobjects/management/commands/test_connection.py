"""``manage.py test_connection``: endpoint, credentials and clock, in words."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mobjects.marketo.errors import MarketoError
from mobjects.marketo.transport import ConnectionVerdict
from mobjects.sync.transport_factory import open_transport


class Command(BaseCommand):
    """Test the connection to Marketo without changing anything. Exit code 0 if it works, 2 if not."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            transport = open_transport()
        except MarketoError as error:
            raise CommandError(error.message, returncode=2) from error
        with closing(transport):
            ping = transport.ping()
        self.stdout.write(f"{transport.name} {transport.endpoint or '(no endpoint)'}: {ping.verdict}. {ping.message}")
        if ping.verdict is not ConnectionVerdict.OK:
            sys.exit(2)
