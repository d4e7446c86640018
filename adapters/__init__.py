"""One folder a vendor; each implements contracts over that vendor's tables.

A new vendor is one folder and one line here.
"""

from __future__ import annotations

from adapters.adapter import Adapter
from adapters.bsoft import Bsoft
from adapters.bsoft_lis import BsoftLis
from adapters.image_archive import ImageArchive
from adapters.junwei import Junwei
from adapters.mapped import Mapped
from adapters.orthanc import Orthanc

#: by the literal name that stands in a source's configuration
ADAPTERS: dict[str, type[Adapter]] = {
    "junwei": Junwei,
    "bsoft": Bsoft,
    "bsoft_lis": BsoftLis,
    "mapped": Mapped,
}

#: the same, of PACSs: what they hold completes the reports of another source
ARCHIVES: dict[str, type[ImageArchive]] = {
    "orthanc": Orthanc,
}
