"""Two at once, each with a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection

from mobjects.sync.saving import insisting


class Concurrently(threading.Thread):
    """Something done at the same time, on a connection of its own. Its exception is raised where its result is read."""

    def __init__(self, do: Callable[[], Any]) -> None:
        super().__init__()
        self._do = insisting(do)
        self.start()
        # Until it is done, or waits for what is locked here.
        self.join(timeout=1.5)

    def run(self) -> None:
        try:
            self._result, self._error = self._do(), None
        except BaseException as error:  # noqa: BLE001 -- raised again in result()
            self._error = error
        finally:
            connection.close()

    def result(self) -> Any:
        self.join()
        if self._error is not None:
            raise self._error
        return self._result
