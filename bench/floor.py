"""The floor under the codec: what lxml and a joined string cost by themselves.

Written by hand for two operations: parse the request with lxml, take the argument, build the same
answer from the same records by join, encode. Nothing is checked and nothing is escaped: neither
the envelope nor names, charset, SOAPAction, facets or the values sent. Its answers must be the
codec's, byte for byte, for the benchmark's data; bench/codec.py looks.
"""

from __future__ import annotations

from collections.abc import Sequence

from lxml import etree

from services.lab_results import LabMaster
from services.number_source import NumberSourceSlot

_START = (
    '<?xml version="1.0" encoding="utf-8"?><soap:Envelope '
    'xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
)
_END = "</soap:Body></soap:Envelope>"


def getlabmaster_string(body: bytes, count: int, text: str) -> bytes:
    root = etree.fromstring(body)
    patient = root[0][0][0].text
    assert patient
    return (
        f'{_START}<getlabmasterResponse xmlns="http://tempuri.org/">'
        f"<getlabmasterResult>{count}</getlabmasterResult><str>{text}</str>"
        f"</getlabmasterResponse>{_END}"
    ).encode()


def getlabmaster(body: bytes, masters: Sequence[LabMaster]) -> bytes:
    root = etree.fromstring(body)
    patient = root[0][0][0].text
    assert patient
    rows = []
    for m in masters:
        sex = {"1": "男", "2": "女"}[m.Sex] if m.Sex else ""
        asked = m.RequestedDateTime.isoformat(" ", "seconds") if m.RequestedDateTime else ""
        told = m.ResultsRptDateTime.isoformat(" ", "seconds") if m.ResultsRptDateTime else ""
        rows.append(
            f"{m.TestNo}|{m.Name or ''}|{m.ChargeType or ''}|{sex}|{m.Age}|{m.TestCause or ''}|"
            f"{m.RelevantClinicDiag or ''}|{m.Specimen or ''}|{m.NotesForSpcm or ''}|"
            f"{m.OrderingDept or ''}|{asked}|{told}|{m.OrderingProvider or ''}|"
            f"{m.PerformedBy or ''}|{m.WorkingId or ''}|{m.Transcriptionist or ''}|"
            f"{m.VerifiedBy or ''}?"
        )
    return (
        f'{_START}<getlabmasterResponse xmlns="http://tempuri.org/">'
        f"<getlabmasterResult>{len(rows)}</getlabmasterResult><str>{''.join(rows)}</str>"
        f"</getlabmasterResponse>{_END}"
    ).encode()


def query_number_source(body: bytes, slots: Sequence[NumberSourceSlot]) -> bytes:
    root = etree.fromstring(body)
    day = root[0][0][0].text
    assert day
    rows = []
    for s in slots:
        doctor = f"<DoctorName>{s.DoctorName}</DoctorName>" if s.DoctorName else ""
        title = f"<DoctorTitle>{s.DoctorTitle}</DoctorTitle>" if s.DoctorTitle else ""
        known = f"<Speciality>{s.Speciality}</Speciality>" if s.Speciality else ""
        limit = "" if s.Limit is None else f"<Limit>{s.Limit}</Limit>"
        left = "" if s.Remaining is None else f"<Remaining>{s.Remaining}</Remaining>"
        place = f"<Place>{s.Place}</Place>" if s.Place else ""
        rows.append(
            f"<NumberSourceSlot><ScheduleId>{s.ScheduleId}</ScheduleId>"
            f"<ScheduleDate>{s.ScheduleDate.isoformat()}</ScheduleDate>"
            f"<ClinicLabel>{s.ClinicLabel}</ClinicLabel><ClinicName>{s.ClinicName}</ClinicName>"
            f"<DeptCode>{s.DeptCode}</DeptCode><DeptName>{s.DeptName}</DeptName>{doctor}{title}"
            f"<Expert>{'true' if s.Expert else 'false'}</Expert>{known}<Shift>{s.Shift}</Shift>"
            f"{limit}{left}<Unlimited>{'true' if s.Unlimited else 'false'}</Unlimited>"
            f"<Stopped>{'true' if s.Stopped else 'false'}</Stopped>"
            f"<OpenToRemote>{'true' if s.OpenToRemote else 'false'}</OpenToRemote>"
            f"<RegistrationFee>{s.RegistrationFee:f}</RegistrationFee>"
            f"<ConsultationFee>{s.ConsultationFee:f}</ConsultationFee>{place}</NumberSourceSlot>"
        )
    return (
        f'{_START}<QueryNumberSourceResponse xmlns="urn:yilian:NumberSource:1">'
        f"<QueryNumberSourceResult>{''.join(rows)}</QueryNumberSourceResult>"
        f"</QueryNumberSourceResponse>{_END}"
    ).encode()
