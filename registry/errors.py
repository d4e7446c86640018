"""UDDI's errors: number, code, and a sentence for people. Raised anywhere, shown on the wire."""

from __future__ import annotations

#: errCode without its E_ -> errno
ERRNO = {
    "unrecognizedVersion": 10040,
    "unsupported": 10050,
    "authTokenExpired": 10110,
    "authTokenRequired": 10120,
    "userMismatch": 10140,
    "unknownUser": 10150,
    "accountLimitExceeded": 10160,
    "invalidKeyPassed": 10210,
    "busy": 10400,
    "fatalError": 10500,
    "invalidValue": 20200,
    "valueNotAllowed": 20210,
    "unvalidatable": 20220,
    "invalidProjection": 20230,
    "requestDenied": 20250,
    "assertionNotFound": 30000,
    "invalidCompletionStatus": 30100,
    "messageTooLarge": 30110,
    "invalidTime": 40030,
    "keyUnavailable": 40100,
    "resultSetTooLarge": 40300,
    "unacceptableSignature": 40400,
    "invalidCombination": 40500,
}

#: The errors that are the registry's own doing: faultcode Server, everything else Client.
SERVER_SIDE = {"busy"}


class UddiError(Exception):
    """``code`` as in the table above, ``message`` in Chinese and then English.

    ``server`` is set for a failure of the registry itself, which sending again may cure.
    """

    def __init__(self, code: str, message: str, *, errno: int = 0, server: bool = False) -> None:
        super().__init__(code, message)
        self.code = code.removeprefix("E_")
        self.errno = errno or ERRNO[self.code]
        self.message = message
        self.server = server or self.code in SERVER_SIDE

    def __str__(self) -> str:
        return f"E_{self.code} ({self.errno}): {self.message}"


class RegistryUnavailable(Exception):
    """The registry could not be reached, or what answered was not a UDDI registry."""
