"""Two demo hospitals as SQLite files, out of one seed.

``hx``, the core hospital, runs junwei with its LIS in the same database; ``sq``, the community
hospital, runs bsoft with its LIS in a second one.
"""

from __future__ import annotations

from yilian.demo_data.build import build
from yilian.demo_data.hospitals import FIRST_PATIENT, HOSPITALS, DemoHospitals

__all__ = ["FIRST_PATIENT", "HOSPITALS", "DemoHospitals", "build"]
