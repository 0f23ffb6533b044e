"""Small files as centres have them, for people to try a mapping on: `python benchmarks/samples.py [OUT_DIR]`.

`danh-sach.csv` and `danh-sach.xlsx` are one list of dossiers with Vietnamese headers, `dvcqg.jsonl` a few messages of
the national portal, `viec.xes` a permit log without a word of Vietnamese. All of it is made up; the procedures and
units are those of `sample_logs/city/`. The same program gives the same bytes.
"""

from __future__ import annotations

import csv
import io
import json
import random
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

import click
from openpyxl import Workbook

Cell = str | int | datetime | date | None

PROCEDURES = {
    "2.097664": "Đăng ký khai sinh",
    "1.029312": "Chứng thực bản sao từ bản chính",
    "2.083757": "Cấp giấy xác nhận tình trạng hôn nhân",
    "1.014408": "Đăng ký thành lập hộ kinh doanh",
}
UNITS = ("10507", "10525", "10532")
TITLES = (
    "TRUNG TÂM PHỤC VỤ HÀNH CHÍNH CÔNG",
    "DANH SÁCH HỒ SƠ TIẾP NHẬN (MINH HỌA)",
    "Từ ngày 03/11/2025 đến ngày 28/11/2025",
)
HEADER = (
    "STT", "Số hồ sơ", "Mã thủ tục", "Tên thủ tục hành chính", "Chủ hồ sơ", "Số điện thoại", "Hình thức nộp",
    "Ngày tiếp nhận", "Ngày hẹn trả", "Ngày trả kết quả", "Trạng thái", "Ngày cập nhật trạng thái",
    "Đơn vị tiếp nhận", "Đơn vị giải quyết",
)  # fmt: skip
CHANNELS = ("Trực tiếp", "Trực tuyến", "Bưu chính công ích")
STATUSES = ("Đã trả kết quả",) * 6 + ("Đang xử lý", "Đã tiếp nhận", "Yêu cầu bổ sung", "Rút hồ sơ")
N_DOSSIERS = 40
UNKNOWN_ROW, UNKNOWN_STATUS = 17, "Chờ ký số"
"""One row has a status that no shipped mapping knows: it is refused, and its remedy is to say what it means."""


def list_rows() -> Iterator[list[Cell]]:
    """The list, a row a dossier, as HEADER has it."""
    rng = random.Random(2025)
    first = date(2025, 11, 3)
    days = sorted(day for day in (rng.randrange(26) for _ in range(3 * N_DOSSIERS)) if day % 7 < 5)[:N_DOSSIERS]
    for number, day in enumerate(days, 1):
        code, title = rng.choice(list(PROCEDURES.items()))
        received = datetime.combine(first + timedelta(day), time(rng.randrange(8, 11), rng.randrange(1, 60)))
        done = received + timedelta(days=rng.randrange(0, 9), minutes=rng.randrange(20, 300))
        status = UNKNOWN_STATUS if number == UNKNOWN_ROW else rng.choice(STATUSES)
        unit = rng.choice(UNITS)
        yield [
            number, f"H24.{unit}-{received:%Y%m%d}-{number:04d}", code, title, f"Người nộp {number:02d}",
            f"0000 000 {number:03d}", rng.choice(CHANNELS), received, (received + timedelta(days=5)).date(),
            done if status == "Đã trả kết quả" else None, status, done, unit, unit,
        ]  # fmt: skip


def write_csv(path: Path) -> None:
    """The list as a spreadsheet saves it: commas, title rows above the header, days first."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        blank = [""] * len(HEADER)
        writer.writerows([title, *blank[1:]] for title in TITLES)
        writer.writerow(blank)
        writer.writerow(HEADER)
        writer.writerows([_text(cell) for cell in row] for row in list_rows())


def _text(cell: Cell) -> Cell:
    if isinstance(cell, datetime):
        return cell.strftime("%d/%m/%Y %H:%M")
    return cell.strftime("%d/%m/%Y") if isinstance(cell, date) else cell


def write_excel(path: Path) -> None:
    """The list as Excel has it: merged titles, real dates."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Danh sách"
    for title in TITLES:
        sheet.append([title])
        sheet.merge_cells(start_row=sheet.max_row, end_row=sheet.max_row, start_column=1, end_column=len(HEADER))
    sheet.append([])
    sheet.append(HEADER)
    for row in list_rows():
        sheet.append(row)
        for cell in sheet[sheet.max_row]:
            if isinstance(cell.value, date):
                cell.number_format = "dd/mm/yyyy hh:mm" if isinstance(cell.value, datetime) else "dd/mm/yyyy"
    packed = io.BytesIO()
    book.save(packed)
    path.write_bytes(_without_clock(packed))


def _without_clock(packed: io.BytesIO) -> bytes:
    """A workbook without the moment it was saved."""
    plain = io.BytesIO()
    with zipfile.ZipFile(packed) as source, zipfile.ZipFile(plain, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = re.sub(rb"(W3CDTF\">)[^<]+", rb"\g<1>2025-11-30T00:00:00Z", source.read(name))
            target.writestr(zipfile.ZipInfo(name, (2025, 11, 30, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return plain.getvalue()


def messages() -> Iterator[dict[str, object]]:
    """A few messages of the portal: done, waiting for papers after a moved appointment, turned away, in work."""
    dossier = {"MaTTHC": "1.014408", "KenhThucHien": "2", "DonViXuLy": "10507", "ChuHoSo": "Người nộp", "Email": ""}
    yield {
        **dossier, "MaHoSo": "H24.10507-20251103-9001", "TrangThaiHoSo": "10", "NgayTiepNhan": "20251103081500",
        "NgayHenTra": "20251110170000", "NgayKetThucXuLy": "20251106150000", "NgayTra": "20251107091000",
    }  # fmt: skip
    yield {
        **dossier, "MaHoSo": "H24.10507-20251104-9002", "TrangThaiHoSo": "5", "NgayTiepNhan": "20251104100500",
        "NgayHenTra": "20251118170000", "NgayKetThucXuLy": "", "NgayTra": "",
        "DanhSachHoSoBoSung": [
            {
                "HoSoBoSungId": "1", "NgayBoSung": "20251105090000", "NgayTiepNhanBoSung": "20251110140000",
                "NgayHenTraTruoc": "20251111170000", "NgayHenTraMoi": "20251118170000",
            },
            {"HoSoBoSungId": "2", "NgayBoSung": "20251113093000", "NgayTiepNhanBoSung": ""},
        ],
    }  # fmt: skip
    yield {
        **dossier, "MaHoSo": "H24.10507-20251105-9003", "TrangThaiHoSo": "3", "NgayTiepNhan": "",
        "NgayKetThucXuLy": "20251105084000",
    }  # fmt: skip
    yield {
        **dossier, "MaHoSo": "H24.10507-20251106-9004", "KenhThucHien": None, "TrangThaiHoSo": "4",
        "NgayTiepNhan": "20251106143000", "NgayHenTra": "20251113170000",
    }  # fmt: skip
    for at, status in (("20251106142000", "1"), ("20251107080000", "4"), ("20251110103000", "6")):
        yield {
            "MaHoSo": "H24.10507-20251106-9004", "NguoiXuLy": "cb-01", "ThoiDiemXuLy": at, "PhongBanXuLy": "10507",
            "NoiDungXuLy": "", "TrangThai": status,
        }  # fmt: skip


def write_portal(path: Path) -> None:
    """The messages, one a line."""
    path.write_text("".join(json.dumps(message, ensure_ascii=False) + "\n" for message in messages()), "utf-8")


N_PERMITS = 24


def write_xes(path: Path) -> None:
    """A log of permits for market stalls: registered, looked at, sometimes sent back for a plan, decided or dropped."""
    rng = random.Random(7)
    told = ['<?xml version="1.0" encoding="UTF-8"?>', '<log xes.version="2.0" xmlns="http://www.xes-standard.org/">']
    for number in range(1, N_PERMITS + 1):
        kind, office = rng.choice(("food", "crafts", "fair")), rng.choice(("North Gate", "Quayside"))
        told += ["<trace>", _string("concept:name", f"STALL-{number:03d}"), _string("permit", kind)]
        at = datetime(2025, 5, 5, 9) + timedelta(days=rng.randrange(60))
        for activity in _course(rng):
            at += timedelta(hours=rng.randrange(1, 60), minutes=rng.randrange(60))
            told += [
                "<event>", _string("concept:name", activity), _string("org:group", office),
                f'<date key="time:timestamp" value="{at.isoformat()}.000+02:00"/>', "</event>",
            ]  # fmt: skip
        told.append("</trace>")
    path.write_text("\n".join([*told, "</log>"]) + "\n", encoding="utf-8")


def _course(rng: random.Random) -> list[str]:
    steps = ["Register", "Check form"]
    for _ in range(rng.choice((0, 0, 1, 2))):
        steps += ["Ask for plan", "Receive plan"]
    ends: tuple[list[str], ...] = (["Decide", "Send permit"],) * 5 + (["Reject"], ["Withdraw"], [])
    return [*steps, "Inspect site", *rng.choice(ends)]


def _string(key: str, value: str) -> str:
    return f'<string key="{key}" value="{value}"/>'


WRITERS = {
    "danh-sach.csv": write_csv,
    "danh-sach.xlsx": write_excel,
    "dvcqg.jsonl": write_portal,
    "viec.xes": write_xes,
}


@click.command(help=(__doc__ or "").split("\n")[0])
@click.argument("out_dir", type=click.Path(file_okay=False, path_type=Path), default=Path("sample_logs"))
def main(out_dir: Path) -> None:
    out_dir.mkdir(parents=True, exist_ok=True)
    for name, write in WRITERS.items():
        write(out_dir / name)


if __name__ == "__main__":
    main()
