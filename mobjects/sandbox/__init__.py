"""A strict local Marketo: SOAP and REST endpoints, one state, scripted faults. Needs lxml and nothing else.

It shares the WSDL file with the client but no code, so that one mistake cannot pass on both sides.
See docs/sandbox.md.
"""

from mobjects.sandbox.rest.identity import CLIENT_ID, CLIENT_SECRET
from mobjects.sandbox.server import SandboxServer
from mobjects.sandbox.soap.auth import KEY, USER_ID

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "KEY", "USER_ID", "SandboxServer"]
