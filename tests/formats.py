"""The same dossiers in four forms: a canonical log, an Excel list, the portal's messages, an XES log.

A dossier is drawn once and told four times, each time as that form tells it; `LOST` says what a form has no place for.
Moments are the centre's own time without an offset; a bare day is a `date`.
"""

from __future__ import annotations

import csv
import json
import random
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import quoteattr

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

Moment = datetime | date

LAST_DAY = date(2026, 2, 15)
"""Nothing of a dossier happens later; an appointment may be."""

OPEN = ("received", "processing", "supplement_requested", "payment_requested")
UNRESOLVED = ("refused", "withdrawn", "stopped")


class Step(NamedTuple):
    """What happened to a dossier, with the appointment if one was stated then."""

    status: str
    at: Moment
    due: Moment | None = None


class Supplement(NamedTuple):
    """A request for papers; `due` is the appointment after it, `resumed_at` None while it waits."""

    requested_at: Moment
    resumed_at: Moment | None
    due: Moment | None


@dataclass(frozen=True)
class Dossier:
    """One dossier and its course; `ended_as` is its last end but `returned`, empty where it has none."""

    dossier_id: str
    procedure_id: str
    applicant_id: str
    channel: str
    receiving: str
    resolving: str
    returning: str
    home: str
    submitted_at: Moment | None = None
    received_at: Moment | None = None
    due: Moment | None = None
    processing_at: Moment | None = None
    supplements: tuple[Supplement, ...] = ()
    payment_at: Moment | None = None
    paid_at: Moment | None = None
    first_results: tuple[Moment, ...] = ()
    reopened_at: Moment | None = None
    ended_as: str = ""
    ended_at: Moment | None = None
    returned_at: Moment | None = None

    @property
    def status(self) -> str:
        """Its present status: that of its last step."""
        return self.steps()[-1].status

    @property
    def current_due(self) -> Moment | None:
        """The last appointment stated."""
        return self.supplements[-1].due if self.supplements else self.due

    @property
    def dues(self) -> list[Moment]:
        """The appointments as they were stated, each once."""
        stated = [self.due, *(supplement.due for supplement in self.supplements)]
        return list(dict.fromkeys(due for due in stated if due))

    def steps(self) -> list[Step]:
        """Its course, in order."""
        told: list[tuple[str, Moment | None, Moment | None]] = [
            ("submitted", self.submitted_at, None),
            ("received", self.received_at, self.due),
            ("processing", self.processing_at, None),
        ]
        for supplement in self.supplements:
            waits = supplement.resumed_at is None
            told.append(("supplement_requested", supplement.requested_at, supplement.due if waits else None))
            told.append(("processing", supplement.resumed_at, supplement.due))
        told += [("payment_requested", self.payment_at, None), ("processing", self.paid_at, None)]
        told += [*zip(("finished", "returned"), self.first_results, (None, None), strict=False)]
        told += [
            ("processing", self.reopened_at, None),
            (self.ended_as, self.ended_at, None),
            ("returned", self.returned_at, None),
        ]
        return [Step(status, at, due) for status, at, due in told if at]


# ---- Drawing ----


class Clock:
    """A course through time: each moment later than the one before, bare days at least a day apart."""

    def __init__(self, rng: random.Random, *, is_bare: bool) -> None:
        self._rng = rng
        self._is_bare = is_bare
        self._last = datetime.combine(date(2025, 7, 1) + timedelta(rng.randrange(150)), time(7, 30, rng.randrange(60)))

    def bare_from_here(self) -> None:
        """From now on only days are known."""
        self._is_bare = True

    def next(self, most_days: int = 12, *, to_the_minute: bool = False) -> Moment:
        """The next moment: mostly in office hours, on any day of the week."""
        rng = self._rng
        days = rng.randrange(1 if self._is_bare else 0, most_days + 1)
        at = datetime.combine(self._last.date() + timedelta(days), time(7, 30)) + timedelta(
            seconds=rng.randrange(10 * 3600 if rng.random() < 0.9 else 15 * 3600)
        )
        if at <= self._last:
            at = self._last + timedelta(seconds=rng.randrange(61, 3600))
        self._last = at = at.replace(second=0) if to_the_minute else at
        return at.date() if self._is_bare else at


def draw(
    n: int, *, procedures: Sequence[str], units: Sequence[str], seed: int = 1, prefix: str = "H24.7"
) -> list[Dossier]:
    """`n` dossiers in states of every kind; the same arguments give the same dossiers."""
    rng = random.Random(seed)
    return [_dossier(rng, f"{prefix}-{number:06d}", procedures, units) for number in range(1, n + 1)]


def _dossier(rng: random.Random, code: str, procedures: Sequence[str], units: Sequence[str]) -> Dossier:
    ward, department, home = (rng.choice(units) for _ in range(3))
    clock = Clock(rng, is_bare=rng.random() < 0.12)
    known: dict[str, Any] = {
        "dossier_id": code,
        "procedure_id": rng.choice(procedures),
        "applicant_id": f"ND{rng.randrange(10**8):08d}",
        "channel": rng.choice(("in_person", "online", "online", "post", "")),
        "receiving": ward,
        "resolving": rng.choice((ward, department)),
        "returning": ward,
        "home": rng.choice((ward, home)),
    }
    submitted_at = clock.next(to_the_minute=True) if rng.random() < 0.6 else None
    kind = rng.choices(("received", "submitted", "refused", "withdrawn"), (90, 5, 3, 2))[0]
    if kind == "submitted":
        return Dossier(**known, submitted_at=submitted_at or clock.next(to_the_minute=True))
    if kind != "received":
        return Dossier(**known, submitted_at=submitted_at, ended_as=kind, ended_at=clock.next())
    return _received(rng, clock, {**known, "submitted_at": submitted_at, "received_at": clock.next()})


def _received(rng: random.Random, clock: Clock, known: dict[str, Any]) -> Dossier:
    day = datetime.fromisoformat(str(known["received_at"])).date()
    first_due = due = _appointment(rng, day + timedelta(rng.randrange(1, 30))) if rng.random() < 0.9 else None
    processing_at = clock.next(3) if rng.random() < 0.8 else None
    supplements: list[Supplement] = []
    for _ in range(rng.choices((0, 1, 2), (70, 22, 8))[0]):
        if supplements and supplements[-1].resumed_at is None:
            break
        asked, resumed = clock.next(), clock.next() if rng.random() < 0.85 else None
        if rng.random() < 0.7:
            due = _appointment(rng, (due.date() if isinstance(due, datetime) else due or day) + timedelta(9))
        supplements.append(Supplement(asked, resumed, due))
    so_far: dict[str, Any] = {
        **known,
        "due": first_due,
        "processing_at": processing_at,
        "supplements": tuple(supplements),
    }
    if supplements and supplements[-1].resumed_at is None and rng.random() < 0.7:
        return Dossier(**so_far)
    if rng.random() < 0.15:
        so_far["payment_at"] = clock.next()
        if rng.random() < 0.3:
            return Dossier(**so_far)
        so_far["paid_at"] = clock.next()
    if rng.random() < 0.12:
        return Dossier(**so_far)
    if rng.random() < 0.05:
        so_far["first_results"] = tuple(clock.next() for _ in range(rng.choice((1, 2))))
        so_far["reopened_at"] = clock.next()
        if rng.random() < 0.2:
            return Dossier(**so_far)
    if rng.random() < 0.1:
        clock.bare_from_here()
    if rng.random() < 0.1:
        return Dossier(**so_far, ended_as=rng.choice(UNRESOLVED), ended_at=clock.next())
    if rng.random() < 0.05:
        return Dossier(**so_far, returned_at=clock.next())
    ended_at = clock.next()
    return Dossier(
        **so_far, ended_as="finished", ended_at=ended_at, returned_at=clock.next() if rng.random() < 0.8 else None
    )


def _appointment(rng: random.Random, day: date) -> Moment:
    return day if rng.random() < 0.3 else datetime.combine(day, time(rng.choice((11, 16, 17)), rng.choice((0, 30))))


# ---- What each form has no place for ----


class Lost(NamedTuple):
    """Columns of `show dossiers` that a form cannot carry for some dossiers; `columns` empty: the whole dossier."""

    columns: tuple[str, ...]
    where: Callable[[Dossier], bool]


BOUNDARY = ("is_cross_boundary",)
CLOCK = ("working_minutes", "paused_minutes", "on_time_766")

LOST: dict[str, tuple[Lost, ...]] = {
    "csv": (),
    "xlsx": (
        # A list says that papers or a fee were asked for only while it waits for them.
        Lost((*CLOCK, "n_supplements"), lambda d: len(d.supplements) > (d.status == "supplement_requested")),
        Lost(CLOCK, lambda d: bool(d.paid_at)),
        # It has one column of appointments: the present one.
        Lost(("n_due_moves", "first_due_at", "judged_due_at", "on_time_766"), lambda d: len(d.dues) > 1),
        # It has one column of ends: the last one.
        Lost(("is_reopened",), lambda d: bool(d.reopened_at)),
    ),
    "jsonl": (
        # The messages have one unit, the one that works on it; who received it shows in the step of the receipt,
        # or of the refusal at reception.
        Lost(("returning_unit_id", "applicant_unit_id"), lambda d: True),
        Lost(BOUNDARY, lambda d: d.channel != "online"),
        Lost(("receiving_unit_id",), lambda d: not d.received_at and d.ended_as != "refused"),
        # No field says when it was handed in, so that DongBoHoSoMC of a dossier that was only submitted has no date and
        # is refused; the step that says it does not repeat what the dossier is.
        Lost(("procedure_id", "channel", "resolving_unit_id"), lambda d: is_submitted_only(d)),
    ),
    "xes": (
        # A timestamp has a clock (XES: xs:dateTime).
        Lost((), lambda d: any(not isinstance(step.at, datetime) for step in d.steps())),
        # The first activity but handing in is the receipt: an end without a receipt has no place.
        Lost((), lambda d: not d.received_at and bool(d.ended_as)),
    ),
}  # fmt: skip


def is_submitted_only(dossier: Dossier) -> bool:
    """Whether nothing but handing in has happened."""
    return [step.status for step in dossier.steps()] == ["submitted"]


def is_carried(form: str, dossier: Dossier) -> bool:
    """Whether the form can tell of the dossier at all."""
    return not any(not lost.columns and lost.where(dossier) for lost in LOST[form])


def lost_columns(form: str, dossier: Dossier) -> set[str]:
    """The columns of `show dossiers` that the form cannot carry for the dossier."""
    return {column for lost in LOST[form] if lost.where(dossier) for column in lost.columns}


# ---- The canonical log ----

LOG_HEADER = (
    "dossier_id", "status", "occurred_at", "procedure_id", "unit_id", "due_at", "receiving_unit_id",
    "resolving_unit_id", "returning_unit_id", "applicant_unit_id", "channel", "applicant_id",
)  # fmt: skip


def write_csv(path: Path, dossiers: Iterable[Dossier]) -> Path:
    """A row a step; what describes the dossier stands on its first row."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(LOG_HEADER)
        for d in dossiers:
            about = (d.receiving, d.resolving, d.returning, d.home, d.channel, d.applicant_id)
            for place, step in enumerate(d.steps()):
                first = (d.procedure_id, *about) if place == 0 else ("",) * 7
                unit = d.receiving if step.status in ("submitted", "received") else d.resolving
                row = (d.dossier_id, step.status, _iso(step.at), first[0], unit, _iso(step.due), *first[1:])
                writer.writerow(row)
    return path


def _iso(moment: Moment | None, offset: str = "") -> str:
    if moment is None:
        return ""
    return moment.isoformat() + (offset if isinstance(moment, datetime) else "")


# ---- The Excel list ----

LIST_STATUSES = {
    "submitted": "Mới đăng ký",
    "received": "Được tiếp nhận",
    "refused": "Không được tiếp nhận",
    "processing": "Đang xử lý",
    "supplement_requested": "Yêu cầu bổ sung giấy tờ",
    "payment_requested": "Yêu cầu thực hiện nghĩa vụ tài chính",
    "withdrawn": "Công dân yêu cầu rút hồ sơ",
    "stopped": "Dừng xử lý",
    "finished": "Đã xử lý xong",
    "returned": "Đã trả kết quả",
}
LIST_CHANNELS = {"in_person": "Trực tiếp", "online": "Trực tuyến", "post": "Bưu chính công ích", "": None}
LIST_TITLES = ("TRUNG TÂM PHỤC VỤ HÀNH CHÍNH CÔNG", "DANH SÁCH HỒ SƠ", "(Kèm theo báo cáo; số liệu minh họa)")
LIST_HEADER = (
    "STT", "Số hồ sơ", "Mã thủ tục", "Tên người nộp", "Số điện thoại", "Mã người nộp", "Hình thức nộp", "Ngày nộp",
    "Ngày tiếp nhận", "Ngày hẹn trả", "Ngày kết thúc xử lý", "Ngày trả kết quả", "Trạng thái",
    "Ngày cập nhật trạng thái", "Đơn vị tiếp nhận", "Đơn vị giải quyết", "Đơn vị trả kết quả", "Nơi cư trú",
)  # fmt: skip

Cell = str | int | Moment | None


def list_rows(dossiers: Iterable[Dossier], names: dict[str, str]) -> Iterator[list[Cell]]:
    """A row a dossier, as LIST_HEADER has it; `names`: unit code → the name that the list gives."""
    for number, d in enumerate(dossiers, 1):
        last = d.steps()[-1]
        ended_at, returned_at = d.ended_at, d.returned_at
        if d.ended_as in UNRESOLVED:  # some offices put that day under results, some only beside the status
            ended_at, returned_at = ((d.ended_at, None), (None, d.ended_at), (None, None))[number % 3]
        status = LIST_STATUSES[last.status]
        status = (status, unicodedata.normalize("NFD", status), f" {status.upper()} ")[number % 3]
        yield [
            number, d.dossier_id, d.procedure_id, f"Người nộp số {number}", f"0000{number:06d}", d.applicant_id,
            LIST_CHANNELS[d.channel], _day_first(d.submitted_at), d.received_at, d.current_due, ended_at, returned_at,
            status, last.at, *(names[unit] for unit in (d.receiving, d.resolving, d.returning, d.home)),
        ]  # fmt: skip


def _day_first(moment: Moment | None) -> str | None:
    return moment.strftime("%d/%m/%Y %H:%M" if isinstance(moment, datetime) else "%d/%m/%Y") if moment else None


def write_excel(path: Path, dossiers: Iterable[Dossier], names: dict[str, str]) -> Path:
    """A list below title rows: real date cells, but for the day of submission, which is text."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Hồ sơ")
    for title in LIST_TITLES:
        sheet.append([None, None, title])
    sheet.append([])
    sheet.append(LIST_HEADER)
    for row in list_rows(dossiers, names):
        sheet.append([_excel_cell(sheet, value) for value in row])
    book.save(path)
    return path


def _excel_cell(sheet: object, value: Cell) -> object:
    cell = WriteOnlyCell(sheet, value)
    if isinstance(value, date):
        cell.number_format = "dd/mm/yyyy hh:mm:ss" if isinstance(value, datetime) else "dd/mm/yyyy"
    return cell


# ---- The portal's messages ----

CODES = {status: str(code) for code, status in enumerate(LIST_STATUSES, 1)}
CHANNEL_CODES = {"in_person": "1", "online": "2", "post": "3", "": None}


def write_portal(path: Path, dossiers: Iterable[Dossier], names: dict[str, str]) -> Path:
    """JSON Lines: of each dossier its steps (CapNhatTienDoHoSoMC) and how it stands (DongBoHoSoMC)."""
    with path.open("w", encoding="utf-8") as file:
        for dossier in dossiers:
            for message in (*_progress_messages(dossier, names), _dossier_message(dossier, names)):
                file.write(json.dumps(message, ensure_ascii=False) + "\n")
    return path


def _dossier_message(d: Dossier, names: dict[str, str]) -> dict[str, object]:
    dues = [d.due, *(supplement.due for supplement in d.supplements)]
    return {
        "MaHoSo": d.dossier_id,
        "MaTTHC": d.procedure_id,
        "KenhThucHien": CHANNEL_CODES[d.channel],
        "ChuHoSo": "Người nộp",
        "SoDienThoai": "0000000000",
        "MaDoiTuong": d.applicant_id,
        "NgayTiepNhan": _portal(d.received_at),
        "NgayHenTra": _portal(d.current_due),
        "TrangThaiHoSo": CODES[d.status],
        "NgayTra": _portal(d.returned_at),
        "NgayKetThucXuLy": _portal(d.ended_at),
        "DonViXuLy": names[d.resolving],
        "TaiLieuNop": [{"TepDinhKemId": "1", "TenTepDinhKem": "don.pdf"}],
        "DanhSachHoSoBoSung": [
            {
                "HoSoBoSungId": str(number),
                "NgayBoSung": _portal(supplement.requested_at),
                "NgayTiepNhanBoSung": _portal(supplement.resumed_at),
                "NgayHenTraTruoc": _portal(before),
                "NgayHenTraMoi": _portal(supplement.due),
            }
            for number, (before, supplement) in enumerate(zip(dues, d.supplements, strict=False), 1)
        ],
    }


def _progress_messages(d: Dossier, names: dict[str, str]) -> Iterator[dict[str, object]]:
    """The steps that the dossier's own message does not say, and those that say who received it."""
    told = {d.ended_at, d.returned_at, *(at for s in d.supplements for at in (s.requested_at, s.resumed_at))}
    for step in d.steps():
        at_reception = step.status == "received" or (step.status == "refused" and not d.received_at)
        if at_reception or step.at not in told:
            yield {
                "MaHoSo": d.dossier_id,
                "NguoiXuLy": f"cb-{d.resolving}",
                "ThoiDiemXuLy": _portal(step.at),
                "PhongBanXuLy": names[d.receiving if at_reception else d.resolving],
                "NoiDungXuLy": "",
                "TrangThai": CODES[step.status],
            }


def _portal(moment: Moment | None) -> str:
    if moment is None:
        return ""
    return moment.strftime("%Y%m%d%H%M%S") if isinstance(moment, datetime) else moment.isoformat()


# ---- XES ----

ACTIVITIES = {
    "submitted": "Hand in",
    "received": "Check in",
    "refused": "Turn away",
    "processing": "Examine",
    "supplement_requested": "Ask for papers",
    "payment_requested": "Ask for fee",
    "withdrawn": "Take back",
    "stopped": "Stop",
    "finished": "Sign result",
    "returned": "Hand over",
}
XES_MAPPING = """\
name = "permits"
kind = "events"
format = "xes"

[columns]
dossier_id = "case:concept:name"
procedure_id = "case:permit"
activity = "concept:name"
occurred_at = "time:timestamp"
unit_id = "org:group"
due_at = "due"
receiving_unit_id = "case:desk"
resolving_unit_id = "case:office"
returning_unit_id = "case:counter"
applicant_unit_id = "case:home"
channel = "case:way"
applicant_id = "case:applicant"

[activities]
submitted = "Hand in"
refused = "Turn away"
supplement_requested = "Ask for papers"
payment_requested = "Ask for fee"
withdrawn = "Take back"
stopped = "Stop"
finished = "Sign result"
returned = "Hand over"
"""


def write_xes(path: Path, dossiers: Iterable[Dossier]) -> Path:
    """A log with a trace a dossier; those that XES cannot carry are left out."""
    with path.open("w", encoding="utf-8") as file:
        file.write('<?xml version="1.0" encoding="UTF-8"?>\n<log xes.version="2.0">\n')
        for d in dossiers:
            if not is_carried("xes", d):
                continue
            about = {
                "concept:name": d.dossier_id, "permit": d.procedure_id, "desk": d.receiving, "office": d.resolving,
                "counter": d.returning, "home": d.home, "way": d.channel, "applicant": d.applicant_id,
            }  # fmt: skip
            file.write("<trace>\n" + _attributes(about))
            for step in d.steps():
                file.write("<event>\n")
                file.write(f'<date key="time:timestamp" value="{_iso(step.at, ".000+07:00")}"/>\n')
                unit = d.receiving if step.status in ("submitted", "received") else d.resolving
                event = {"concept:name": ACTIVITIES[step.status], "org:group": unit, "due": _iso(step.due, "+07:00")}
                file.write(_attributes(event) + "</event>\n")
            file.write("</trace>\n")
        file.write("</log>\n")
    return path


def _attributes(cells: dict[str, str]) -> str:
    return "".join(f"<string key={quoteattr(key)} value={quoteattr(value)}/>\n" for key, value in cells.items())
