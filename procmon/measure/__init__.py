"""Events → dossiers with their times, as of an instant (rulebook 3 to 6 and 8)."""

from procmon.measure.dossiers import Asked, measure

__all__ = ["Asked", "measure"]
