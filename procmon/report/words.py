"""The report's Vietnamese: numbers and days as Vietnam writes them, and a label for every code.

Three promises live here. What is unknown reads "–" or "không đủ dữ liệu", never 0 or 100. Rounding never shows 0 %
or 100 % unless that is exact. And no text that came from outside carries a control character into a page or a mail.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.numbers import format_decimal

from procmon.tables import Period

EMPTY = "–"
NO_DATA = "không đủ dữ liệu"
MINUTES_A_DAY = 480  # rulebook 4: working days in every table are minutes ÷ 480

# ---- text from outside

_UNPRINTABLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def clean(text: str) -> str:
    """`text` on one line, without control, format (bidi overrides, zero width) or unassigned characters."""
    if text.isprintable():
        return " ".join(text.split())
    kept = (" " if unicodedata.category(letter) in _UNPRINTABLE else letter for letter in text)
    return " ".join("".join(kept).split())


def within(text: str) -> str:
    """`text` with a small first letter, for use inside a sentence; an abbreviation stays."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def shorten(text: str, most: int) -> str:
    """`text` cut to `most` characters, with an ellipsis where something was cut."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


# ---- numbers


def count(n: int | None) -> str:
    """1907 → 1.907; unknown → –."""
    return EMPTY if n is None else _decimal(Decimal(n), 0)


def number(value: float | None, places: int = 1) -> str:
    """A number that is not negative, with `places` decimals: 12.34 → 12,3; 0.01 → dưới 0,1; unknown → –."""
    if value is None or not math.isfinite(value):
        return EMPTY
    exact = Decimal(repr(float(value)))
    step = Decimal(1).scaleb(-places)
    if exact and not exact.quantize(step):
        return f"dưới {_decimal(step, places)}"
    return _decimal(exact, places)


def plain(value: float) -> str:
    """A number with as many decimals as it has: 0.6 → 0,6; 5.0 → 5; 0.075 → 0,075."""
    return format_decimal(Decimal(repr(float(value))), format="#,##0.######", locale="vi").replace("-", "−")


def days(minutes: float | None) -> str:
    """Minutes of open time as working days (÷ 480), one decimal."""
    return EMPTY if minutes is None else number(minutes / MINUTES_A_DAY)


def percent(fraction: float | None, places: int = 1) -> str:
    """0.8347 → 83,5%; what is not exactly 0 or 100 never reads so: 0.99999 → trên 99,9%; unknown → –."""
    if fraction is None or not math.isfinite(fraction):
        return EMPTY
    exact = Decimal(repr(float(fraction))) * 100
    step = Decimal(1).scaleb(-places)
    shown = exact.quantize(step)
    if shown == exact or abs(shown) not in (0, 100):
        return f"{_decimal(shown, places)}%"
    if abs(exact) < 1:
        return f"dưới {_decimal(step, places)}%" if exact > 0 else f"trên {_decimal(-step, places)}%"
    if abs(exact) < 100:
        nearly = 100 - step
        return f"trên {_decimal(nearly, places)}%" if exact > 0 else f"dưới {_decimal(-nearly, places)}%"
    return f"trên {_decimal(Decimal(100), places)}%" if exact > 0 else f"dưới {_decimal(Decimal(-100), places)}%"


def share(part: int | None, whole: int | None) -> str:
    """part ÷ whole in percent with two decimals, as official forms print it; nothing to divide by → –."""
    return percent(part / whole, 2) if part is not None and whole else EMPTY


def share_of(part: int | None, whole: int | None, unit: str) -> str:
    """`88,10% (1.680/1.907 TTHC)`; `không đủ dữ liệu` where there is nothing to divide by."""
    if part is None or not whole:
        return NO_DATA
    return f"{share(part, whole)} ({count(part)}/{count(whole)} {unit})"


def _decimal(value: Decimal, places: int) -> str:
    pattern = "#,##0" + ("." + "0" * places if places else "")
    return format_decimal(value, format=pattern, locale="vi").replace("-", "−")


def cut(fraction: float | None) -> str:
    """A reduction in words: 0.123 → giảm 12,3%; -0.05 → tăng 5,0%; 0 → không đổi; unknown → –."""
    if fraction is None or not math.isfinite(fraction):
        return EMPTY
    if fraction == 0:
        return "không đổi"
    return f"giảm {percent(fraction)}" if fraction > 0 else f"tăng {percent(-fraction)}"


def interval(lower: float | None, upper: float | None) -> str:
    """A reduction's interval in words: giảm từ 5,1% đến 18,0%; từ tăng 4,5% đến giảm 12,3%; unknown → –."""
    if lower is None or upper is None or not (math.isfinite(lower) and math.isfinite(upper)):
        return EMPTY
    if lower > 0:
        return f"giảm từ {percent(lower)} đến {percent(upper)}"
    if upper < 0:
        return f"tăng từ {percent(-upper)} đến {percent(-lower)}"
    return f"từ {cut(lower)} đến {cut(upper)}"


# ---- days, instants, periods, limits


def day(value: date | None) -> str:
    """22/11/2026; unknown → –."""
    return EMPTY if value is None else f"{value:%d/%m/%Y}"


def instant(value: datetime | None, zone: ZoneInfo) -> str:
    """22/11/2026 16:05 in the office's time; unknown → –."""
    return EMPTY if value is None else f"{value.astimezone(zone):%d/%m/%Y %H:%M}"


def span(first: date | None, after: date | None) -> str:
    """The half-open [first, after) by its first and its last day."""
    if first is None or after is None:
        return EMPTY
    return f"từ {day(first)} đến hết {day(after - timedelta(days=1))}"


_PERIOD_NAMES = (
    (re.compile(r"(\d{4})-(\d{2})/15"), "kỳ báo cáo tháng {1}/{0}"),
    (re.compile(r"(\d{4})-(\d{2})-(\d{2})"), "từ đầu tháng đến hết ngày {2}/{1}/{0}"),
    (re.compile(r"(\d{4})-(\d{2})"), "tháng {1}/{0}"),
    (re.compile(r"(\d{4})-Q1"), "quý I/{0}"),
    (re.compile(r"(\d{4})-Q2"), "quý II/{0}"),
    (re.compile(r"(\d{4})-Q3"), "quý III/{0}"),
    (re.compile(r"(\d{4})-Q4"), "quý IV/{0}"),
    (re.compile(r"(\d{4})"), "năm {0}"),
)


def period_name(period: Period) -> str:
    """`2025-11` → tháng 11/2025; a period without a usual name by its days."""
    for pattern, said in _PERIOD_NAMES:
        found = pattern.fullmatch(period.name)
        if found:
            return said.format(*found.groups())
    return span(period.from_, period.to)


def limit(text: str | None) -> str:
    """`10 working_days` → 10 ngày làm việc, with what follows; empty → –; what cannot be read stands as it is."""
    if not text:
        return EMPTY
    amount, _, rest = text.partition(" ")
    unit, *whose = rest.split(" ", 1)
    try:
        return " ".join([plain(float(amount)), LIMIT_UNITS[unit], *whose])
    except (ValueError, KeyError):
        return text


def limit_change(before: str | None, now: str | None) -> str:
    """`10 → 5 ngày làm việc`, or both in full where the unit changed or one is missing."""
    (amount, _, unit), (_, _, unit_now) = (before or "").partition(" "), (now or "").partition(" ")
    if amount and unit == unit_now and unit in LIMIT_UNITS:
        return f"{limit(before).partition(' ')[0]} → {limit(now)}"
    return f"{limit(before)} → {limit(now)}"


# ---- labels

LIMIT_UNITS = {"hours": "giờ làm việc", "working_days": "ngày làm việc", "days": "ngày", "months": "tháng"}

VERDICTS = {
    "met": "Đạt",
    "missed": "Chưa đạt",
    "inconclusive": "Chưa đủ căn cứ kết luận",
    "no_data": "Không đủ dữ liệu",
    "no_target": "Chưa có mục tiêu cho kỳ này",
}
TONES = {"met": "good", "missed": "bad", "inconclusive": "open", "no_data": "none", "no_target": "none"}

WHY = {
    "no_baseline": "chưa công bố số liệu kỳ gốc",
    "few_dossiers": "quá ít hồ sơ",
    "coverage": "phần hồ sơ so sánh được dưới mức tối thiểu",
    "no_interval": "không tính được khoảng tin cậy",
    "no_states": "số liệu kỳ gốc được công bố khi chưa lưu hồ sơ chưa xong, cần công bố lại",
    "alone": "không có đơn vị nào khác để so sánh",
    "no_limits": "không có thời hạn ở cả hai ngày",
    "not_begun": "kỳ của mục tiêu chưa bắt đầu",
    "undetermined": "chưa xác định được đơn vị hiện nay",
}

AGREEMENTS = {"disagree": "Không khớp", "agree": "Khớp", "": "Không đủ dữ liệu để đối chiếu"}
"""Whether the finished dossiers alone and all received ones say the same (rulebook 7d)."""

WAY_WHY = {
    "out_of_reach": "không thể đạt nữa, dù giải quyết ngay lập tức",
    "period_over": "kỳ đã hết",
    "nothing_to_come": "kỳ gốc không có hồ sơ trong các tháng còn lại",
}

BASES = {"limit": "thời hạn trên giấy", "actual": "thời gian thực tế"}
LEVELS = {"city": "Cấp thành phố", "commune": "Cấp xã", "": "Chưa rõ cấp"}

TAGS = {"business": "Liên quan doanh nghiệp", "green_lane": "Luồng xanh"}
"""Labels of the tags that the registry's documentation names; an office's own print themselves."""

BOUNDARY_VERDICTS = {
    "refused_elsewhere": "Có từ chối vì địa giới",
    "announced_only": "Chỉ công bố, chưa chứng minh",
    "local_only": "Không công bố, chưa chứng minh",
    "no_data": "Không đủ dữ liệu",
    "online_only": "Chỉ nộp trực tuyến",
    "proven": "Đã chứng minh",
}
"""In the order of the page: what asks for action first, what is proven last."""

BOUNDARY_TONES = {"refused_elsewhere": "bad", "announced_only": "open", "local_only": "open", "proven": "good"}

DUE_STATES = {
    "overdue": "Đã quá hạn",
    "due_1": "Đến hạn trong 1 ngày làm việc",
    "due_2": "Đến hạn trong 2 ngày làm việc",
    "due_3": "Đến hạn trong 3 ngày làm việc",
    "later": "Còn trên 3 ngày làm việc",
    "waiting": "Đang chờ người nộp",
    "nothing_to_judge_by": "Không có hạn để đối chiếu",
}

LIMIT_CLASSES = {
    "n_limit_50": "Cắt từ 50% trở lên",
    "n_limit_30": "Cắt từ 30% đến dưới 50%",
    "n_limit_less": "Cắt dưới 30%",
    "n_limit_unchanged": "Giữ nguyên",
    "n_limit_longer": "Kéo dài thêm",
}

QUALITY = {
    "dossiers": "Hồ sơ trong dữ liệu",
    "not_received": "Hồ sơ không có bước tiếp nhận",
    "without_due_date_stated": "Hồ sơ không ghi ngày hẹn trả",
    "without_any_due_date": "Hồ sơ không có ngày hẹn trả, cũng không tính được từ thời hạn",
    "bare_days": "Hồ sơ có bước chỉ ghi ngày, không ghi giờ",
    "unknown_procedure": "Hồ sơ có mã TTHC không có trong danh mục",
    "unknown_unit": "Hồ sơ có mã đơn vị không có trong danh mục",
    "without_receiving_unit": "Hồ sơ không rõ đơn vị tiếp nhận",
    "without_resolving_unit": "Hồ sơ không rõ cơ quan giải quyết",
    "without_applicant_unit": "Hồ sơ không rõ nơi cư trú của người nộp",
    "boundary_undetermined": "Hồ sơ không xác định được có ngoài địa giới hay không",
    "refused_rows": "Dòng dữ liệu bị từ chối",
    "amended_rows": "Dòng bổ sung cho dòng đã có",
    "repeated_rows": "Dòng lặp lại dòng đã có",
    "retracted_batches": "Lô dữ liệu đã rút lại",
    "reopened": "Hồ sơ được mở lại sau khi kết thúc",
    "ended_without_receipt": "Hồ sơ kết thúc mà không có bước tiếp nhận",
    "pending": "Hồ sơ đang giải quyết",
}
FACTS_NOT_LACKS = {"dossiers", "pending", "repeated_rows", "amended_rows"}
"""Quality items that describe the log without lacking anything."""

COUNTED = {"dossiers": "hồ sơ", "rows": "dòng", "batches": "lô", "procedures": "TTHC"}

INTAKE = {
    "files": "Tệp đã nhận (mỗi lần nhận là một lô)",
    "n_read": "Dòng đã đọc",
    "n_stored": "Dòng lưu mới",
    "n_repeated": "Dòng lặp lại dòng đã có",
    "n_amended": "Dòng bổ sung cho dòng đã có",
    "n_refused": "Dòng bị từ chối",
    "is_held": "Tệp bị giữ lại toàn bộ, không lưu dòng nào",
}

REASONS = {
    "the dossier code is empty": "mã hồ sơ để trống",
    "not one of the ten statuses": "trạng thái không thuộc mười trạng thái",
    "the instant is empty": "thời điểm để trống",
    "not a readable instant or day": "thời điểm hoặc ngày không đọc được",
    "lies before 2000 or after 2059, which no calendar covers": "thời điểm trước năm 2000 hoặc sau năm 2059",
    "not one of the three channels": "hình thức nộp không thuộc ba hình thức",
    "a status that the mapping does not know": "trạng thái không có trong bảng ánh xạ",
    "a channel that the mapping does not know": "hình thức nộp không có trong bảng ánh xạ",
    "the activity is empty": "tên bước xử lý để trống",
    "lies in the future: it cannot have happened": "thời điểm nằm trong tương lai",
    "the status is an end, but no column says when it ended": "trạng thái là kết thúc nhưng không có ngày kết thúc",
    "the status is received, but the day of receipt is empty": "trạng thái là tiếp nhận nhưng không có ngày tiếp nhận",
    "nothing in the row has a date": "dòng không có ngày nào",
    "the file is held: more of its rows were refused than policies.max_refused allows": (
        "cả tệp bị giữ lại: tỷ lệ dòng bị từ chối vượt mức cho phép"
    ),
    "longer than 1,000 characters": "nội dung một ô dài quá 1.000 ký tự",
    "holds a control character": "có ký tự điều khiển",
    "the row has fewer cells than the header": "dòng thiếu ô so với dòng tiêu đề",
    "the row has more cells than the header": "dòng thừa ô so với dòng tiêu đề",
    "a name that several units have on that day": "tên của nhiều đơn vị trong ngày đó",
    "quotes open or close in the wrong place": "dấu ngoặc kép mở hoặc đóng sai chỗ",
    "the row is not valid UTF-8": "dòng không đúng mã UTF-8",
    "the record is not a readable JSON object": "bản ghi JSON không đọc được",
    "the record is not a readable event": "sự kiện XES không đọc được",
    "a name stands twice in the record": "một tên xuất hiện hai lần trong bản ghi",
    "the record is nested more deeply than anything that is read": "bản ghi lồng quá nhiều cấp",
    "the row cannot be read as CSV, or is longer than 1 MiB": "dòng không đọc được theo CSV hoặc dài quá 1 MiB",
}
"""Why rows are refused, by the reason that `procmon show rejects` prints (tests hold that none is missing)."""

RULE_SETS = {
    "index_766": "chi_so_766 (bộ chỉ số theo Quyết định 766/QĐ-TTg, mục 2.1: so với ngày hẹn trả đầu tiên,"
    " trừ thời gian chờ bổ sung, từ hai lần yêu cầu bổ sung là quá hạn)",
    "form_06": "bieu_06 (Biểu số 06/VPCP/KSTT theo Thông tư 01/2020/TT-VPCP: so theo ngày với ngày hẹn trả hiện tại,"
    " không trừ thời gian chờ)",
    "strict": "chat_che (như chi_so_766, nhưng hồ sơ không có hạn, dừng, từ chối, rút để riêng)",
}

RULE_SET_NAMES = {
    "index_766": "chi_so_766 (chỉ số quốc gia)",
    "form_06": "bieu_06 (Biểu số 06)",
    "strict": "chat_che (chặt chẽ)",
}

BRIDGE_STEPS = {
    "start": "Theo chi_so_766",
    "stopped": "Dừng giải quyết: biểu tính là trong hạn",
    "refused": "Từ chối: biểu tính là đúng hạn",
    "withdrawn": "Người nộp rút hồ sơ: biểu tính là đúng hạn",
    "waiting": "Đang chờ bổ sung: biểu tính là trong hạn",
    "without_due_date": "Không ghi ngày hẹn trả: biểu tính là đúng hạn, trong hạn",
    "two_supplements": "Yêu cầu bổ sung từ hai lần: biểu không vì thế mà tính là quá hạn",
    "pauses": "Thời gian chờ bổ sung: biểu không trừ",
    "days": "Biểu so theo ngày, không theo giờ làm việc",
    "current_due_date": "Biểu so với ngày hẹn trả hiện tại, không phải ngày hẹn đầu tiên",
}
"""The steps from chi_so_766 to bieu_06 (table `bridge`)."""

POLICIES = {
    "supplement=pause": "yêu cầu bổ sung: tạm dừng tính giờ",
    "supplement=restart": "yêu cầu bổ sung: tính lại từ đầu",
    "supplement=run": "yêu cầu bổ sung: vẫn tính giờ",
    "payment=run": "nghĩa vụ tài chính: vẫn tính giờ",
    "payment=pause": "nghĩa vụ tài chính: tạm dừng tính giờ",
    "late_receipt=none": "tiếp nhận cuối ngày: tính ngay từ lúc tiếp nhận",
    "late_receipt=15:00": "tiếp nhận sau 15:00: tính từ lúc mở cửa ngày làm việc tiếp theo",
}

SETTINGS = {
    "min_n_mix": "số hồ sơ tối thiểu mỗi bên để một TTHC được đưa vào so sánh",
    "min_n_verdict": "số hồ sơ tối thiểu mỗi bên để một TTHC có kết luận riêng",
    "min_coverage": "phần hồ sơ kỳ gốc tối thiểu phải so sánh được",
    "min_cross": "số hồ sơ ngoài địa giới đã xong tối thiểu để chứng minh",
    "min_units": "số đơn vị tiếp nhận tối thiểu để chứng minh",
    "boundary_days": "số ngày xem xét về địa giới",
}


def label(labels: Mapping[str, str], code: str | None) -> str:
    """The label of `code`; a code nobody labelled prints itself, an empty one –."""
    return labels.get(code or "", code or EMPTY)


def why(code: str | None) -> str:
    """Why there is no verdict, in words."""
    return label(WHY, code) if code else "không rõ lý do"
