# zeep, from the WSDL. Argument: the address up to and with the hospital's code.
import json
import sys
from datetime import date, datetime

from zeep import Client, exceptions
from zeep.helpers import serialize_object


# [sample]
def lab_tests(his, patient_id):
    answer = his.getlabmaster(PatientId=patient_id)
    if answer.getlabmasterResult < 0:
        raise ValueError(f"{answer.getlabmasterResult}: {answer.str}")
    # zeep gives an empty string as None
    return [row.split("|") for row in (answer.str or "").split("?") if row]


# [/sample]


def text(value):
    return value.isoformat() if isinstance(value, date) else str(value)


def put(**line):
    print(json.dumps(serialize_object(line, dict), ensure_ascii=False, default=text))


def told(case, value):
    put(case=case, value=value)


def legacy(case, answer):
    put(case=case, result=answer[f"{case.split()[0]}Result"], str=answer.str)


def fault(case, call, *arguments):
    try:
        call(*arguments)
        told(case, "no fault")
    except exceptions.Fault as error:
        code = error.detail.findtext(".//{urn:yilian:fault:1}Code")
        put(case=case, fault=error.message, code=code)


base = sys.argv[1]
his = Client(f"{base}/HisService.asmx?wsdl").service
told("sample", lab_tests(his, "0000000001"))
legacy("getlabmaster", his.getlabmaster(PatientId="0000000001", str=""))
legacy("getlabmaster echo", his.getlabmaster(PatientId="回声|?𠮷㐂喆<&>\"'"))
legacy("getlabmaster empty", his.getlabmaster(PatientId=""))
legacy("getlabmaster nobody", his.getlabmaster(PatientId="nobody"))
legacy("getlabresult", his.getlabresult(TestNo="2611210001"))
legacy("getlabresult unknown", his.getlabresult(TestNo="0"))
legacy("getclinicforregist", his.getclinicforregist(ClinicDate="2026-11-21"))

numbers = Client(f"{base}/NumberSource?wsdl").service
day = date(2026, 11, 21)
told("QueryNumberSource", numbers.QueryNumberSource(day) or [])
told("QueryNumberSource filtered", numbers.QueryNumberSource(day, DeptCode="喆𠮷㐂") or [])
told("QueryNumberSource none", numbers.QueryNumberSource(date(2026, 11, 22)) or [])
told("GetNumberSource", numbers.GetNumberSource("20261121-0302-2"))
fault("GetNumberSource unknown", numbers.GetNumberSource, "没有喆|?")
fault("GetNumberSource rare", numbers.GetNumberSource, "没有𠮷㐂")

labs = Client(f"{base}/LabResults?wsdl").service
told("QueryLabMaster", labs.QueryLabMaster("0000000001"))
period = {"Since": datetime(2026, 11, 19, 23, 59, 59), "Until": datetime(2026, 11, 20, 8, 30)}
told("QueryLabMaster period", labs.QueryLabMaster("0000000001", **period))
report = serialize_object(labs.GetLabResult("2611210001"), dict)
told("GetLabResult", report | {"Items": report["Items"]["LabResultItem"]})
fault("GetLabResult unknown", labs.GetLabResult, "0")
