"""Explanations as text that people read; nothing is computed here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from textwrap import wrap

from procmon.explain.days import Line, amount, span, time_of
from procmon.explain.figure import FigureTold, measured_by
from procmon.explain.told import DossierTold, StretchTold

WIDTH = 110


def dossier_text(told: DossierTold) -> str:
    """The explanation of a dossier."""
    return "\n".join(line.rstrip() for line in _dossier(told)) + "\n"


def _dossier(told: DossierTold) -> Iterator[str]:
    yield from aligned(
        [
            ("dossier", told.dossier_id),
            ("as of", told.as_of.isoformat()),
            ("procedure", told.procedure),
            ("calendar", told.calendar),
            *(
                ("policy" if n == 0 else "", f"{policy.name} = {policy.value}, {policy.set_by}")
                for n, policy in enumerate(told.policies)
            ),
            ("outcome", told.outcome + (f" at {moment(told.ended_at)}" if told.ended_at else "")),
        ]
    )
    yield from ("", "EVENTS, in order; `row` is batch:row of the log", "")
    head = ("no", "happened", "status", "unit", "stage", "due", "row", "")
    rows = (
        (event.no or "-", moment(event.happened_at), event.status, event.unit_id, event.stage, event.due, event.rows,
         event.note)
        for event in told.events
    )  # fmt: skip
    yield from aligned([head, *rows])
    yield from ("", "OPEN TIME from one event to the next", "")
    if not told.stretches:
        yield "none: it was not received"
    for part in told.stretches:
        yield from _stretch(part)
        yield ""
    if told.stretches:
        amounts = (f"{kind} {amount(n)}" for kind, n in told.seconds.items() if n is not None)
        yield f"together: {', '.join(amounts)}"
        shown = ", ".join(f"{name}_minutes {n}" for name, n in told.minutes.items())
        yield f"shown as: {shown} (whole minutes, rounded down once)"
    yield from ("", "DUE DATE", "")
    yield from _due(told)
    yield from ("", "VERDICT", "")
    for one in told.verdicts:
        yield f"{one.rule_set}: {one.verdict}"
        yield from wrap(one.because, WIDTH, initial_indent="    ", subsequent_indent="    ")


def _stretch(part: StretchTold) -> Iterator[str]:
    held = f", held by {part.unit_id}" if part.unit_id else ""
    stage = f", stage {part.stage}" if part.stage else ""
    because = f" ({part.because})" if part.because else ""
    yield f"after event {part.no}: {part.status}{held}{stage}: {part.kind} {amount(part.open_seconds)}{because}"
    yield f"  {moment(part.from_at)} to {moment(part.to_at)}"
    rows = [(span(line.first, line.last), line.sessions or "-", _cost(line), line.why) for line in part.lines]
    yield from aligned(rows, indent=4)


def _cost(line: Line) -> str:
    is_of_equal_days = line.n_days > 1 and line.sessions and "×" not in line.sessions
    each = f"{line.n_days} days × {amount(line.seconds // line.n_days)} = " if is_of_equal_days else ""
    return each + amount(line.seconds)


def _due(told: DossierTold) -> Iterator[str]:
    due = told.due
    yield f"limit: {due.limit}"
    yield from aligned([(span(line.first, line.last), line.says) for line in due.lines], indent=4)
    yield ""
    for stated in due.stated:
        moved = ", moved" if stated.is_move else ""
        yield f"stated by event {stated.no}: {stated.stated}, that is {moment(stated.due_at)}{moved}"
    yield f"computed: {moment(due.computed_due_at) or 'none'}"
    yield f"judged: {moment(due.judged_due_at) or 'none'}, {due.judged_why}"


def aligned(rows: Iterable[Sequence[object]], indent: int = 0) -> Iterator[str]:
    """Rows of cells in columns as wide as they need to be; what is not printable stands as a replacement character."""
    texts = [[_harmless(str(cell)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for row in texts:
        yield " " * indent + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()


def _harmless(text: str) -> str:
    return "".join(c if c.isprintable() else "�" for c in text)


def moment(at: datetime | None) -> str:
    """An instant as `Wed 22 Jan 2025 16:30` (`time_of`); empty for none."""
    return "" if at is None else f"{at:%a %d %b %Y} {time_of(at)}"


def figure_text(told: FigureTold) -> str:
    """The explanation of a figure."""
    return "\n".join(line.rstrip() for line in _figure(told)) + "\n"


def _figure(told: FigureTold) -> Iterator[str]:
    yield from aligned([("figure", told.figure), ("is", told.says), ("rulebook", told.section), *told.run.items()])
    yield from ("", "COUNTS", "")
    names = [name for name in told.rows[0] if name != "figure" and any(row[name] is not None for row in told.rows)]
    cells = ([_number(row[name]) for name in names] for row in told.rows)
    yield from aligned([names, *cells])
    if told.n_more:
        yield f"and {told.n_more} more rows: name a --scope"
    yield from ("", "SQL", "", f"-- dossiers come of the log by {measured_by()}")
    for name, text in told.sql.items():
        yield from ("", f"-- {name}", *text.rstrip().splitlines())
    yield from ("", f"-- then {told.then}")
    if told.dossiers is not None:
        yield from ("", f"DOSSIERS, {told.n_dossiers}", "", *told.dossiers)


def _number(value: object) -> object:
    """Whole numbers without a point; nothing for none."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return "" if value is None else value
