"""The HTTP/1.1 server through which callers come in.

It offers the interface of RSGI, so that an application does not know which server it runs in,
on asyncio protocols and the llhttp parser. It knows no routes and no dialects: what it has to say
itself is put into words by a function that it is given.
"""

from tiergate.front.call import Call
from tiergate.front.flow import ClientGoneError
from tiergate.front.limits import Limits
from tiergate.front.request import Request
from tiergate.front.server import Front
from tiergate.front.service import App, ErrorAnswer, Failed
from tiergate.front.stream import Stream

__all__ = [
    "App",
    "Call",
    "ClientGoneError",
    "ErrorAnswer",
    "Failed",
    "Front",
    "Limits",
    "Request",
    "Stream",
]
