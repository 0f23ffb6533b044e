"""Processing times of administrative procedures, measured, judged, reported and mailed."""

__version__ = "0.1.0"
