"""The token in use: shared by all processes, replaced when Marketo refuses it, waited for when it is about to end.

Marketo hands out the same token until it ends, so no call can get a better one before. One that has less than a minute
left may end while the calls of a job are under way, so it is not used. A few seconds are waited for here; longer waits
are left to the job, which gives its worker back meanwhile, and can be paused or cancelled.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from threading import Lock

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mobjects.marketo.errors import Unavailable
from mobjects.marketo.rest.config import RestSettings
from mobjects.marketo.rest.identity import IdentityCalls, Token
from mobjects.marketo.shared_store import SharedStore
from mobjects.marking import gettext_noop as _

MARGIN_SECONDS = 60.0
"""With less than this left a token is not used."""
LONGEST_SLEEP_SECONDS = 5.0
"""A wait up to here is waited out in place; no slot of Marketo's and no person is kept waiting longer."""
REFUSED_SECONDS = 60.0
"""A token that Marketo refused is not tried again so soon, whatever its answer says is left of it."""
_AFTER_SECONDS = 1.0
_ASKING_SECONDS = 30.0
_OTHERS_SECONDS = 2.0
_LOOK_SECONDS = 0.1
_TIMES = 3


class TokenSource:
    """Gives the token for calls.

    Args:
        settings: where Marketo is and who calls.
        identity: asks Marketo.
        store: what the other processes know.
        now: the time, aware.
        sleep: waits, in seconds.

    Attributes:
        name: under which the store keeps what belongs to this caller at this instance.
    """

    def __init__(
        self,
        settings: RestSettings,
        identity: IdentityCalls,
        store: SharedStore,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
    ) -> None:
        self._identity, self._store = identity, store
        self._now, self._sleep = now, sleep
        self._cipher = TokenCipher(settings)
        caller = sha256(f"{settings.base}|{settings.client_id}".encode()).hexdigest()[:16]
        self.name = f"token:{caller}"
        self._token: Token | None = None
        self._refused: dict[str, float] = {}
        self._mutex = Lock()

    def current_token(self) -> Token:
        """A token that can be used now.

        Raises:
            Unavailable: there is none at the moment; it says when there will be.
            MarketoError: Marketo gave none (see :meth:`mobjects.marketo.rest.identity.IdentityCalls.request_token`).
        """
        with self._mutex:
            if self._token is None or not self._is_usable(self._token):
                self._token = self._shared_token() or self._ask()
            return self._token

    def discard(self, token: Token) -> None:
        """Say that Marketo refused a token, so that nobody uses it again."""
        with self._mutex:
            now = self._seconds()
            self._refused = {each: until for each, until in self._refused.items() if until > now}
            self._refused[token.fingerprint] = now + REFUSED_SECONDS
            self._store.set(f"{self.name}:refused:{token.fingerprint}", str(now + REFUSED_SECONDS), REFUSED_SECONDS)
            if self._token and self._token.fingerprint == token.fingerprint:
                self._token = None
            # Later Marketo is asked anew: even the same token may then be all that it has.
            shared = self._cipher.decrypt(self._store.get(self.name))
            if shared and shared.fingerprint == token.fingerprint:
                self._store.delete(self.name)

    def keep(self, token: Token) -> None:
        """Give a token to all processes, for as long as it can be used."""
        left = token.expires_at - self._seconds()
        self._store.set(self.name, self._cipher.encrypt(token), left - MARGIN_SECONDS)

    def _ask(self) -> Token:
        for _turn in range(_TIMES):
            self._raise_if_later()
            with self._store.lock(self.name, _ASKING_SECONDS) as mine:
                if found := self._shared_token() if mine else self._wait_for_others():
                    return found
                token = self._identity.request_token()
                if self._is_usable(token):
                    self.keep(token)
                    return token
            seconds = self._seconds_until_next(token)
            if seconds > LONGEST_SLEEP_SECONDS:
                self._store.set(f"{self.name}:later", str(self._seconds() + seconds), seconds)
                raise _wait_error(seconds)
            self._sleep(seconds)
        raise _wait_error(LONGEST_SLEEP_SECONDS)

    def _wait_for_others(self) -> Token | None:
        """What another process is just asking for. If it does not come soon, everybody may ask: it changes nothing."""
        for _turn in range(round(_OTHERS_SECONDS / _LOOK_SECONDS)):
            self._sleep(_LOOK_SECONDS)
            if token := self._shared_token():
                return token
            self._raise_if_later()
        return None

    def _raise_if_later(self) -> None:
        """Marketo is not asked before it can give another token, by whichever process."""
        later = self._store.get(f"{self.name}:later")
        seconds = float(later) - self._seconds() if later else 0.0
        if seconds > LONGEST_SLEEP_SECONDS:
            raise _wait_error(seconds)

    def _shared_token(self) -> Token | None:
        token = self._cipher.decrypt(self._store.get(self.name))
        return token if token and self._is_usable(token) else None

    def _is_usable(self, token: Token) -> bool:
        return token.expires_at - self._seconds() >= MARGIN_SECONDS and not self._refused_until(token)

    def _refused_until(self, token: Token) -> float:
        """Until when a token counts as refused; 0 if it does not."""
        known = self._store.get(f"{self.name}:refused:{token.fingerprint}") if token != self._token else None
        until = max(float(known or 0.0), self._refused.get(token.fingerprint, 0.0))
        return until if until > self._seconds() else 0.0

    def _seconds_until_next(self, token: Token) -> float:
        """How long until it is worth asking again, after this token was handed out."""
        ends = token.expires_at
        if refused := self._refused_until(token):
            ends = min(ends, refused)
        return max(0.0, ends - self._seconds()) + _AFTER_SECONDS

    def _seconds(self) -> float:
        return self._now().timestamp()


def _wait_error(seconds: float) -> Unavailable:
    return Unavailable(
        _("Marketo's token is about to end or was refused, and Marketo gives no other one for %(seconds)s s.")
        % {"seconds": f"{seconds:.0f}"},
        retry_after_seconds=seconds,
    )


class TokenCipher:
    """Keeps a token unreadable in the store: only who has the client secret can read it, and could ask for one."""

    def __init__(self, settings: RestSettings) -> None:
        purpose = f"marketo-admin token of {settings.client_id} at {settings.base}".encode()
        key = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(settings.client_secret.encode())
        self._fernet = Fernet(urlsafe_b64encode(key))

    def encrypt(self, token: Token) -> str:
        """The text to keep."""
        return self._fernet.encrypt(json.dumps([token.value, token.expires_at]).encode()).decode()

    def decrypt(self, kept: str | None) -> Token | None:
        """The token of a text that was kept; ``None`` if there is none, or the client secret was another one."""
        if not kept:
            return None
        try:
            value, expires_at = json.loads(self._fernet.decrypt(kept.encode()))
            return Token(str(value), float(expires_at))
        except (InvalidToken, ValueError, TypeError):
            return None
