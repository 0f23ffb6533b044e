"""How fast the vectorised clock counts: `python benchmarks/clock.py`.

Random intervals on the default calendar of 2024 to 2026, by one thread: an hour long, then three years. It must count
20 million a second, and three years within twice the time of an hour (docs/decisions/0003). The best of some rounds
counts, as other programs of the machine only ever slow one down. Ends 1 where it is too slow.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import date

import numpy as np
import pyarrow as pa

from procmon import worktime
from procmon.worktime import Clock, Numbers

HOUR, THREE_YEARS = 3600, 3 * 365 * 86400
FIRST_START, LAST_START = date(2024, 1, 1), date(2026, 12, 31)
PROMISED_A_SECOND = 20e6
PROMISED_RATIO = 2.0
NOTHING = pa.table({})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--intervals", type=int, default=4_000_000, help="how many (default 4000000)")
    parser.add_argument("--rounds", type=int, default=5, help="of which the best counts (default 5)")
    asked = parser.parse_args()
    clock = Clock(worktime.build(NOTHING, NOTHING))
    starts = random_starts(asked.intervals)
    hour = best(clock, starts, HOUR, asked.rounds)
    years = best(clock, starts, THREE_YEARS, asked.rounds)
    for name, seconds in (("an hour", hour), ("three years", years)):
        print(f"{name:12} {asked.intervals / seconds / 1e6:6.1f} million intervals a second")
    print(f"{'ratio':12} {years / hour:6.2f}")
    return int(asked.intervals / max(hour, years) < PROMISED_A_SECOND or years / hour > PROMISED_RATIO)


def random_starts(n: int) -> Numbers:
    first, last = ((day - date(1970, 1, 1)).days * 86400 for day in (FIRST_START, LAST_START))
    return np.random.default_rng(1).integers(first, last, n)


def best(clock: Clock, starts: Numbers, length: int, rounds: int) -> float:
    """Seconds of the fastest round."""
    ends = starts + length
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        clock.open_seconds(starts, ends)
        taken.append(time.perf_counter() - began)
    return min(taken)


if __name__ == "__main__":
    sys.exit(main())
