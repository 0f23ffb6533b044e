"""Log files → events and refused rows.

A received file is parsed in a child process under limits (`child.py`), which leaves Parquet for `check.py`
(text → typed events, or a reason), from which `take.py` keeps what is new against the lake.
"""

from procmon.ingest.read import RawFile, read_file
from procmon.ingest.take import Taken, take

__all__ = ["RawFile", "Taken", "read_file", "take"]
