"""The command line of the sandbox, for ``python -m mobjects.sandbox`` and ``manage.py sandbox``."""

from __future__ import annotations

import signal
import sys
import threading
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence

from mobjects.sandbox.rest.identity import CLIENT_ID, CLIENT_SECRET
from mobjects.sandbox.server import SandboxServer
from mobjects.sandbox.soap.auth import KEY, USER_ID

DEFAULT_PORT = 8001


def add_options(parser: ArgumentParser) -> None:
    """Add the sandbox's options to any parser."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, help="port to listen on, 0 for a free one (default: %(default)s)"
    )
    parser.add_argument("--seed", action="store_true", default=True, help="start with sample programs, people and tags")
    parser.add_argument("--no-seed", action="store_false", dest="seed", help="start empty")
    parser.add_argument("--user-id", default=USER_ID, help="the API user's id (default: %(default)s)")
    parser.add_argument("--key", default=KEY, help="the API user's encryption key (default: see docs/sandbox.md)")
    parser.add_argument("--client-id", default=CLIENT_ID, help="the custom service of REST (default: %(default)s)")
    parser.add_argument("--client-secret", default=CLIENT_SECRET, help="its secret (default: see docs/sandbox.md)")


def run_server(options: Namespace) -> int:
    """Serve until interrupted or terminated.

    Returns:
        0 after a normal stop, 2 if the address cannot be listened on.
    """
    try:
        server = SandboxServer(
            host=options.host,
            port=options.port,
            seed=options.seed,
            user_id=options.user_id,
            key=options.key,
            client_id=options.client_id,
            client_secret=options.client_secret,
        )
    except OSError as error:
        print(f"sandbox: cannot listen on {options.host}:{options.port}: {error.strerror}", file=sys.stderr)
        return 2
    _stop_on_sigterm()
    print(f"Marketo sandbox: {server.url}/  endpoint {server.endpoint}  user {options.user_id}")
    print(f"REST endpoint {server.rest_endpoint}  identity {server.identity_endpoint}  client id {options.client_id}")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.close()
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and serve; see :func:`run_server`."""
    parser = ArgumentParser(prog="sandbox", description="A strict local stand-in for Marketo's SOAP and REST APIs.")
    add_options(parser)
    return run_server(parser.parse_args(arguments))


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) <= 65535:
        return int(text)
    raise ArgumentTypeError(f"{text!r} is not a port (0 to 65535)")


def _stop_on_sigterm() -> None:
    # Process managers stop their children with SIGTERM; Python lets only the main thread listen for it.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
