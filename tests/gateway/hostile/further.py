"""Of the steps "policy", "contract" and "rate"."""

from __future__ import annotations

from tests.gateway.hostile.attack import (
    HIS,
    LAB,
    LIMITED,
    SOAP12,
    XML12,
    Attack,
    Twin,
    enveloped,
    lab,
    post,
)
from tests.gateway.hostile.caller import basic

NUMBERS = "urn:yilian:NumberSource:1"


def policy(body: str, path: str = "/hx/LabResults", rule: str = "policies") -> Attack:
    return Attack(post(body, path=path), "policy", rule, "NotAllowed")


def unknown(body: str, path: str = "/hx/LabResults") -> Attack:
    return Attack(post(body, path=path), "policy", "operation", "UnknownOperation")


def labs(content: str, name: str = "getlabmaster", ns: str = f' xmlns="{HIS}"') -> str:
    return enveloped(f"<{name}{ns}>{content}</{name}>")


def printed(content: str = "<RequestId>1</RequestId><TestNo>1</TestNo>") -> str:
    return enveloped(lab(content, "MarkLabPrinted"))


_WSDL = "GET {}?wsdl HTTP/1.1\r\nHost: gw\r\nConnection: close\r\n\r\n"

POLICY: dict[str, Attack] = {
    "forbidden operation": policy(printed(), rule="no-printing"),
    "forbidden at another hospital": policy(printed(), "/sq/LabResults", "no-printing"),
    "forbidden at the SOAP 1.2 address": policy(printed(), "/hx/LabResults/soap12", "no-printing"),
    "forbidden in SOAP 1.2": Attack(
        post(printed().replace("http://schemas.xmlsoap.org/soap/envelope/", SOAP12), kind=XML12),
        *("policy", "no-printing", "NotAllowed", 400),
    ),
    "forbidden with another prefix": policy(
        enveloped(f'<z:MarkLabPrinted xmlns:z="{LAB}"/>'), rule="no-printing"
    ),
    "forbidden by numbers": policy(
        printed().replace(LAB, LAB.replace("u", "&#117;", 1)), rule="no-printing"
    ),
    "service that nobody opened": policy(
        enveloped(f'<QueryNumberSource xmlns="{NUMBERS}"/>'), "/hx/NumberSource"
    ),
    "hospital that nobody opened": Attack(
        post(
            enveloped(f'<QueryNumberSource xmlns="{NUMBERS}"/>'),
            basic("lab"),
            path="/sq/NumberSource",
        ),
        *("policy", "policies", "NotAllowed"),
    ),
    "operation that nobody opened": Attack(
        post(
            enveloped(f'<QueryNumberSourceDetail xmlns="{NUMBERS}"/>'),
            basic("lab"),
            path="/hx/NumberSource",
        ),
        *("policy", "operation", "UnknownOperation"),
    ),
    "WSDL of what he may not call": Attack(
        _WSDL.format("/hx/NumberSource").encode(), "policy", "policies", "NotAllowed", 403
    ),
    "no such operation": unknown(enveloped(lab(name="DropAll"))),
    "operation in another case": unknown(enveloped(lab(name="getlabresult"))),
    "operation of another namespace": unknown(enveloped(lab(ns="urn:evil"))),
    "operation of a longer namespace": unknown(enveloped(lab(ns=LAB + "0"))),
    "operation of another version": unknown(enveloped(lab(ns="urn:yilian:LabResults:2"))),
    "operation of no namespace": unknown(enveloped("<GetLabResult/>")),
    "operation of another service": unknown(enveloped(f'<QueryNumberSource xmlns="{NUMBERS}"/>')),
    "answer as a request": unknown(enveloped(lab(name="GetLabResultResponse"))),
    "Fault as a request": unknown(enveloped("<s:Fault><faultcode>s:Client</faultcode></s:Fault>")),
    "encrypted body": unknown(
        enveloped('<EncryptedData xmlns="http://www.w3.org/2001/04/xmlenc#"/>')
    ),
    "reliable messaging": unknown(
        enveloped('<CreateSequence xmlns="http://docs.oasis-open.org/ws-rx/wsrm/200702"/>')
    ),
    "metadata exchange": unknown(
        enveloped('<GetMetadata xmlns="http://schemas.xmlsoap.org/ws/2004/09/mex"/>')
    ),
    "letters that look alike": unknown(enveloped(lab(name="GеtLabResult"))),  # a Cyrillic е
    "legacy operation that is not there": unknown(labs("", "xp_cmdshell"), "/hx/HisService.asmx"),
    "legacy operation of another namespace": unknown(
        labs("", ns=' xmlns="urn:evil"'), "/hx/HisService.asmx"
    ),
}

_SQ = "/sq/LabResults"


def contract(content: str, name: str = "GetLabResult", code: str = "MalformedMessage") -> Attack:
    return Attack(post(enveloped(lab(content, name)), path=_SQ), "contract", "check_contract", code)


def legacy(content: str) -> Attack:
    return Attack(post(labs(content), path="/sq/HisService.asmx"), "contract", "check_contract")


CONTRACT: dict[str, Attack] = {
    "argument missing": contract(""),
    "argument unknown": contract("<TestNo>1</TestNo><Drop>1</Drop>"),
    "argument twice": contract("<TestNo>1</TestNo><TestNo>2</TestNo>"),
    "argument of another namespace": contract('<TestNo xmlns="urn:evil">1</TestNo>'),
    "elements in an argument": contract("<TestNo><a/></TestNo>"),
    "text between arguments": contract("x<TestNo>1</TestNo>"),
    "attribute on an argument": contract('<TestNo a="1">1</TestNo>'),
    "argument as an attribute": Attack(
        post(enveloped(lab("").replace("<GetLabResult ", '<GetLabResult TestNo="1" ')), path=_SQ),
        *("contract", "check_contract"),
    ),
    "another type": contract(
        '<TestNo xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="int">1</TestNo>'
    ),
    "argument too long": contract(f"<TestNo>{'1' * 5000}</TestNo>", code="InvalidArgument"),
    "empty argument": contract("<TestNo/>", code="InvalidArgument"),
    "date of letters": contract(
        "<PatientId>1</PatientId><Since>tomorrow</Since>", "QueryLabMaster", "InvalidArgument"
    ),
    "date in two orders": contract(
        "<Since>2026-11-21T08:00:00</Since><PatientId>1</PatientId>", "QueryLabMaster"
    ),
    "month 13": contract(
        "<PatientId>1</PatientId><Since>2026-13-01T00:00:00</Since>",
        *("QueryLabMaster", "InvalidArgument"),
    ),
    "legacy argument unknown": legacy("<PatientId>1</PatientId><Drop>1</Drop>"),
    "legacy argument twice": legacy("<PatientId>1</PatientId><PatientId>2</PatientId>"),
    "legacy elements in an argument": legacy("<PatientId><a/></PatientId>"),
    "legacy text beside arguments": legacy("x<PatientId>1</PatientId>"),
    "legacy reference to nothing": legacy('<PatientId href="#1"/>'),
    "legacy argument as an attribute": legacy('<PatientId value="1"/>'),
}

TWINS: dict[str, Twin] = {
    "another operation of the service": Twin(
        post(enveloped(lab("<PatientId>1</PatientId>", "QueryLabMaster")))
    ),
    "WSDL of what he may call": Twin(_WSDL.format("/hx/LabResults").encode()),
    "allowed by name": Twin(
        post(
            enveloped(f'<QueryNumberSource xmlns="{NUMBERS}"/>'),
            basic("lab"),
            path="/hx/NumberSource",
        )
    ),
    "as contracted": Twin(post(enveloped(lab("<TestNo>T1</TestNo>")), path=_SQ)),
    "as contracted, SOAP 1.2": Twin(
        post(enveloped(lab("<TestNo>T1</TestNo>"), ns=SOAP12), kind=XML12, path=_SQ)
    ),
    "not checked elsewhere": Twin(post(enveloped(lab("<Drop>1</Drop>")))),
    "legacy": Twin(post(labs("<PatientId>1</PatientId>"), path="/sq/HisService.asmx")),
    "legacy in any order": Twin(
        post(labs("<str/><PatientId>1</PatientId>"), path="/sq/HisService.asmx")
    ),
    "legacy, unqualified": Twin(
        post(labs("<PatientId>1</PatientId>", ns=""), path="/sq/HisService.asmx")
    ),
    "legacy, rpc/encoded": Twin(
        post(
            enveloped(
                f'<h:getlabmaster xmlns:h="{HIS}"><PatientId href="#a"/></h:getlabmaster>'
                '<multiRef id="a">1</multiRef>'
            ),
            path="/sq/HisService.asmx",
        )
    ),
}

#: what comes once the first call has been made
RATE: dict[str, Attack] = {
    "beyond the caller's rate": Attack(
        post(), "rate", "callers.limited.rate", "Overloaded", 500, LIMITED
    ),
    "beyond the caller's rate, elsewhere": Attack(
        post(path="/sq/LabResults"), "rate", "callers.limited.rate", "Overloaded", 500, LIMITED
    ),
    "beyond the hospital's rate": Attack(
        post(path="/zz/LabResults"), "rate", "hospitals.zz.rate", "Overloaded"
    ),
    "beyond the rate, in SOAP 1.2": Attack(
        post(enveloped(lab(), ns=SOAP12), kind=XML12, path="/zz/LabResults"),
        *("rate", "hospitals.zz.rate", "Overloaded"),
    ),
    "a WSDL beyond the rate": Attack(
        _WSDL.format("/zz/LabResults").encode(), "rate", "hospitals.zz.rate", "Overloaded", 503
    ),
}
