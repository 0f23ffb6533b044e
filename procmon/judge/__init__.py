"""Dossiers → figures: reductions, targets, boundaries, form 06, rule sets, what is due soon (rulebook 6 to 8, 11)."""

from procmon.judge.figures import figures
from procmon.judge.freezing import Frozen, freeze
from procmon.judge.judge import Judge
from procmon.judge.question import NO_BASELINE, Question, Side

__all__ = ["NO_BASELINE", "Frozen", "Judge", "Question", "Side", "figures", "freeze"]
