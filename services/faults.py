"""The faults: one tree, answered at one place (services/soap/exchange.py).

    Fault
    ├── ClientFault            the message is at fault; sending it again unchanged is of no use
    │   ├── MalformedMessage     not XML, not SOAP, not as the schema says
    │   ├── VersionMismatch      an Envelope of an unknown namespace
    │   ├── MustUnderstand       a header that must be understood and is not
    │   ├── UnknownOperation     no such operation here, or SOAPAction and Body disagree
    │   ├── UnknownService       no such hospital or service here
    │   ├── NotAuthenticated     who calls is not known, or not proved
    │   ├── NotAllowed           who calls is known, and may not call this
    │   ├── InvalidArgument      a value that the schema allows and the contract does not
    │   ├── NotFound             what was asked for by id does not exist
    │   └── Conflict             what was asked for is not possible in the present state
    └── ServerFault            the message may succeed later
        ├── Overloaded           queue full; try again after a moment
        ├── SourceUnavailable    a database, or a node, cannot be reached
        ├── SourceTimeout        it was reached and did not answer in time
        ├── SourceError          it answered with an error, or with data that break the contract
        └── InternalError        a defect of ours

Every fault says what was wrong, where (hospital, source, field) and what to do, in Chinese and
then in English. The class name is the machine-readable code. Messages hold no patient's name,
identity number or message body.
"""

from __future__ import annotations


class Fault(Exception):
    """``zh`` and ``en`` say the same; ``field``, ``source`` and ``hospital`` say where. ``rule``:
    which check or setting refused it, for logs."""

    #: legacy operations answer this as their int result
    legacy_code = -9

    def __init__(
        self,
        zh: str,
        en: str,
        *,
        field: str = "",
        source: str = "",
        hospital: str = "",
        rule: str = "",
    ) -> None:
        super().__init__(zh, en)
        self.zh = zh
        self.en = en
        self.field = field
        self.source = source
        self.hospital = hospital
        self.rule = rule

    @property
    def code(self) -> str:
        return type(self).__name__

    def __str__(self) -> str:
        return f"{self.zh} / {self.en}"


class ClientFault(Fault):
    legacy_code = -1


class MalformedMessage(ClientFault):
    pass


class VersionMismatch(ClientFault):
    pass


class MustUnderstand(ClientFault):
    pass


class UnknownOperation(ClientFault):
    pass


class UnknownService(ClientFault):
    legacy_code = -5


class NotAuthenticated(ClientFault):
    pass


class NotAllowed(ClientFault):
    pass


class InvalidArgument(ClientFault):
    pass


class NotFound(ClientFault):
    legacy_code = -2


class Conflict(ClientFault):
    legacy_code = -3


class ServerFault(Fault):
    legacy_code = -4


class Overloaded(ServerFault):
    legacy_code = -6


class SourceUnavailable(ServerFault):
    pass


class SourceTimeout(ServerFault):
    pass


class SourceError(ServerFault):
    pass


class InternalError(ServerFault):
    legacy_code = -9
