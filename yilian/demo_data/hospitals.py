"""The demo's two hospitals: their names, their files, and how a node is to read them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yilian.demo_data.community_clinic import ORGANISATION
from yilian.demo_data.core_orders import VIRTUAL_DEPARTMENT

#: exists at both hospitals, whatever the seed
FIRST_PATIENT = "0000000001"

#: code: (名称, name)
HOSPITALS = {
    "hx": ("华夏中心医院", "Huaxia Central Hospital"),
    "sq": ("石桥社区卫生服务中心", "Shiqiao Community Health Centre"),
}


@dataclass(frozen=True)
class DemoHospitals:
    """The files, absolute. ``built``: at least one was made now; ``extended``: one that was
    there already was given the days that it lacked."""

    hx: Path
    sq_his: Path
    sq_lis: Path
    built: bool
    extended: bool

    @property
    def sources(self) -> dict[str, dict[str, dict[str, Any]]]:
        """By hospital code and source name, what stands in a node's ``[sources.NAME]``."""
        return {
            "hx": {
                "his": {
                    "adapter": "junwei",
                    "url": _url(self.hx),
                    "read_only": False,
                    "offers": [
                        *("NumberSource", "Patients", "Registration"),
                        *("Ordering", "LabResults", "ExamResults"),
                    ],
                    "settings": {
                        "current_no": "next",
                        "stopped": "OUTP_DOCTOR_REGIST.STOP_INDICATOR",
                        "remote_flag": "CLINIC_FOR_REGIST.REMOTE_INDICATOR",
                        "speciality": "CLINIC_INDEX.SPECIALITY",
                        "insurance_no": "INSURANCE_ACCOUNTS",
                        "virtual_departments": {VIRTUAL_DEPARTMENT: HOSPITALS["sq"][0]},
                        "image_url": "http://pacs.example/viewer?study={StudyUid}",
                    },
                }
            },
            "sq": {
                "his": {
                    "adapter": "bsoft",
                    "url": _url(self.sq_his),
                    "read_only": False,
                    "offers": ["NumberSource", "Patients", "Registration"],
                    "settings": {
                        "organisation": ORGANISATION,
                        "remote_flag": "YCGH",
                        "speciality": "YS_ZJJS.ZJTC",
                        "expert_titles": ["主任医师", "副主任医师"],
                    },
                },
                "lis": {
                    "adapter": "bsoft_lis",
                    "url": _url(self.sq_lis),
                    "read_only": False,
                    "offers": ["LabResults"],
                    "settings": {
                        "reference_column": "REFRANGE",
                        "print_order_column": "PRINTORD",
                    },
                },
            },
        }


def _url(path: Path) -> str:
    return f"sqlite:///{path.as_posix()}"
