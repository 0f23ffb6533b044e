"""Why a figure is what it is: a dossier's minutes day by day, and what a run's figure was made of."""

from procmon.explain.dossier import explain_dossier
from procmon.explain.figure import explain_figure
from procmon.explain.text import dossier_text, figure_text

__all__ = ["dossier_text", "explain_dossier", "explain_figure", "figure_text"]
