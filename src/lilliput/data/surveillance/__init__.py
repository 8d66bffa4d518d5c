"""Annotated surveillance footage, VIRAT's and MEVA's, and the TinyVIRAT-like clips cut from it.

``annotations.py`` finds and reads the annotations (``kpf.py``, ``virat.py``), ``names.py`` maps
their activities to TinyVIRAT's classes, ``plan.py`` decides what is cut, ``write.py`` cuts it.
"""

from lilliput.data.surveillance.activity import Activity
from lilliput.data.surveillance.kpf import read_kpf
from lilliput.data.surveillance.plan import ClipPlan, CutRule, plan_clips
from lilliput.data.surveillance.virat import read_virat
from lilliput.data.surveillance.write import CutReport, Division, write_tinyvirat

__all__ = [
    "Activity",
    "ClipPlan",
    "CutReport",
    "CutRule",
    "Division",
    "plan_clips",
    "read_kpf",
    "read_virat",
    "write_tinyvirat",
]
