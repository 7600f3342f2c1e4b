"""The classes of hot calls, which a gate or hooks replace by others when the service starts."""

from typing import NamedTuple

from orders.http.calls import CreateCall, ReadCall
from orders.http.endpoint_call import EndpointCall


class HotCalls(NamedTuple):
    """One for each kind of request."""

    read: type[ReadCall] = ReadCall
    create: type[CreateCall] = CreateCall
    endpoint: type[EndpointCall] = EndpointCall
