"""What Django's cache keeps in Redis, as JSON: Django's own way are pickles, which run what they hold."""

from __future__ import annotations

import json
from typing import Any


class JsonSerializer:
    """To and from bytes; for ``CACHES``."""

    def dumps(self, value: Any) -> bytes:
        """The bytes of a value. Raises ``TypeError`` for what JSON does not know."""
        return json.dumps(value).encode()

    def loads(self, kept: bytes) -> Any:
        """The value of bytes. Raises ``ValueError`` where they are no JSON."""
        return json.loads(kept)
