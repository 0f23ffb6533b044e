"""Names and volumes of the made-up Hải Phòng: departments, procedures, targets, recipients.

Names of fields, departments and procedures follow Vietnamese practice; codes of procedures and departments,
limits and volumes are invented. Units of commune level are not here: they are facts and come from `procmon/data/`.
"""

from __future__ import annotations

from typing import NamedTuple

CITY = "HP"
CENTRES = [  # unit_id, name, valid_from: two sites of the city's centre, the second since the merger
    ("HP-TT1", "Trung tâm Phục vụ hành chính công thành phố Hải Phòng", "2000-01-01"),
    ("HP-TT2", "Trung tâm Phục vụ hành chính công thành phố Hải Phòng - cơ sở Lê Thanh Nghị", "2025-07-01"),
]
DEPARTMENTS = {
    "H24.01": "Văn phòng Ủy ban nhân dân thành phố",
    "H24.02": "Sở Nội vụ",
    "H24.03": "Sở Tư pháp",
    "H24.04": "Sở Tài chính",
    "H24.05": "Sở Công Thương",
    "H24.06": "Sở Nông nghiệp và Môi trường",
    "H24.07": "Sở Xây dựng",
    "H24.08": "Sở Khoa học và Công nghệ",
    "H24.09": "Sở Văn hóa, Thể thao và Du lịch",
    "H24.10": "Sở Giáo dục và Đào tạo",
    "H24.11": "Sở Y tế",
    "H24.12": "Sở Ngoại vụ",
    "H24.13": "Thanh tra thành phố",
    "H24.14": "Ban Quản lý Khu kinh tế Hải Phòng",
    "H24.15": "Công an thành phố",
    "H24.16": "Thuế thành phố",
    "H24.17": "Bảo hiểm xã hội thành phố",
    "H24.18": "Văn phòng Đăng ký đất đai",
}


class Template(NamedTuple):
    """One procedure as the catalogue words it; larger cities get several cases of each."""

    name: str
    field: str
    level: str  # `city` or `commune`
    department: str  # who resolves it, for level `city`
    amount: int  # limit of 2024
    unit: str  # hours, working_days, days, months
    weight: float  # share of the city's dossiers, not normalised
    flags: str  # b business, g green lane, p payment owed, d at the district before 1 July 2025,
    #             r supplement restarts the clock, l receipt after 15:00 counts from tomorrow, o online only


_PROCEDURES = """
Chứng thực bản sao từ bản chính|Chứng thực|commune||8|hours|30|l
Đăng ký khai sinh|Hộ tịch|commune||1|working_days|14|
Cấp bản sao trích lục hộ tịch|Hộ tịch|commune||8|hours|13|
Cấp giấy xác nhận tình trạng hôn nhân|Hộ tịch|commune||3|working_days|12|
Chứng thực chữ ký trong giấy tờ, văn bản|Chứng thực|commune||8|hours|12|l
Đăng ký biến động quyền sử dụng đất, tài sản gắn liền với đất|Đất đai|city|H24.18|10|working_days|12|pg
Đăng ký thành lập hộ kinh doanh|Đăng ký kinh doanh|commune||3|working_days|8|bd
Đăng ký kết hôn|Hộ tịch|commune||5|working_days|6|
Đăng ký khai tử|Hộ tịch|commune||1|working_days|5|
Cấp giấy chứng nhận quyền sử dụng đất lần đầu|Đất đai|commune||30|working_days|6|pd
Trợ cấp xã hội hằng tháng, hỗ trợ chăm sóc|Bảo trợ xã hội|commune||22|working_days|6|
Cấp giấy phép xây dựng nhà ở riêng lẻ|Xây dựng|commune||20|days|6|d
Đăng ký thay đổi nội dung hộ kinh doanh|Đăng ký kinh doanh|commune||3|working_days|5|bd
Đổi giấy phép lái xe|Giao thông vận tải|city|H24.15|5|working_days|6|
Cấp phiếu lý lịch tư pháp|Tư pháp|city|H24.15|10|working_days|5|
Đăng ký thành lập công ty TNHH|Đăng ký kinh doanh|city|H24.04|3|working_days|5|bgo
Hỗ trợ chi phí mai táng|Bảo trợ xã hội|commune||5|working_days|4|
Xác nhận, cấp lại giấy tờ người có công|Người có công|commune||12|working_days|3|
Cấp đổi giấy chứng nhận quyền sử dụng đất|Đất đai|city|H24.18|7|working_days|5|p
Tách thửa, hợp thửa đất|Đất đai|city|H24.18|15|working_days|4|p
Đăng ký thay đổi nội dung đăng ký doanh nghiệp|Đăng ký kinh doanh|city|H24.04|3|working_days|6|bg
Thông báo hoạt động khuyến mại|Công Thương|city|H24.05|1|working_days|3|bo
Chứng thực hợp đồng, giao dịch|Chứng thực|commune||2|working_days|4|
Cấp giấy phép lao động cho người nước ngoài|Lao động|city|H24.02|5|working_days|3|b
Thay đổi, cải chính hộ tịch|Hộ tịch|commune||6|working_days|3|
Cấp phù hiệu xe ô tô kinh doanh vận tải|Giao thông vận tải|city|H24.07|2|working_days|4|b
Cấp chứng chỉ hành nghề hoạt động xây dựng|Xây dựng|city|H24.07|20|days|3|b
Cấp giấy chứng nhận đủ điều kiện an toàn thực phẩm|Y tế|city|H24.11|20|working_days|2|br
Cấp giấy phép hành nghề khám bệnh, chữa bệnh|Y tế|city|H24.11|30|days|2|
Chuyển trường đối với học sinh|Giáo dục|commune||3|working_days|2.5|d
Cấp bản sao văn bằng, chứng chỉ từ sổ gốc|Giáo dục|city|H24.10|8|hours|2.5|
Xác định mức độ khuyết tật|Bảo trợ xã hội|commune||25|days|2|
Công nhận hộ nghèo, hộ cận nghèo|Bảo trợ xã hội|commune||15|days|2|
Chuyển mục đích sử dụng đất|Đất đai|commune||15|working_days|2.5|pd
Đăng ký môi trường|Môi trường|commune||10|working_days|1.5|b
Cấp giấy phép môi trường|Môi trường|city|H24.06|30|days|1.2|br
Thẩm định báo cáo đánh giá tác động môi trường|Môi trường|city|H24.06|1|months|1|br
Cấp giấy phép kinh doanh vận tải bằng xe ô tô|Giao thông vận tải|city|H24.07|5|working_days|1.5|b
Cấp giấy chứng nhận đăng ký đầu tư|Đầu tư|city|H24.14|15|days|1.2|bg
Điều chỉnh giấy chứng nhận đăng ký đầu tư|Đầu tư|city|H24.14|10|working_days|1.2|bg
Thẩm định báo cáo nghiên cứu khả thi đầu tư xây dựng|Xây dựng|city|H24.07|2|months|0.8|bg
Cấp giấy phép xây dựng công trình|Xây dựng|city|H24.07|20|days|1.2|bg
Cấp giấy phép bán lẻ rượu|Công Thương|commune||10|working_days|1|bd
Cấp giấy phép bán buôn thuốc lá|Công Thương|city|H24.05|15|working_days|0.6|b
Giải quyết chế độ mai táng phí đối với cựu chiến binh|Người có công|commune||1|months|1|
Giải quyết trợ cấp một lần đối với người hoạt động kháng chiến|Người có công|city|H24.02|3|months|0.8|
Đăng ký nội quy lao động của doanh nghiệp|Lao động|city|H24.02|7|working_days|0.8|b
Thành lập trường mầm non tư thục|Giáo dục|commune||20|working_days|0.5|bd
Cấp phép hoạt động trung tâm ngoại ngữ, tin học|Giáo dục|city|H24.10|15|working_days|0.7|b
Cấp giấy phép kinh doanh dịch vụ lữ hành nội địa|Du lịch|city|H24.09|10|working_days|0.6|b
Cấp giấy phép tổ chức biểu diễn nghệ thuật|Văn hóa|city|H24.09|5|working_days|0.6|
Đăng ký hoạt động khoa học và công nghệ|Khoa học và Công nghệ|city|H24.08|15|working_days|0.4|
Cấp giấy phép bưu chính|Khoa học và Công nghệ|city|H24.08|20|working_days|0.3|b
Cấp giấy phép khai thác nước dưới đất|Tài nguyên nước|city|H24.06|45|days|0.4|b
Đăng ký nuôi con nuôi trong nước|Hộ tịch|commune||30|days|0.4|
Đăng ký hành nghề luật sư|Tư pháp|city|H24.03|7|working_days|0.4|
Công nhận tổ hòa giải cơ sở|Tư pháp|commune||5|working_days|0|
Cho phép tổ chức hội nghị, hội thảo quốc tế|Ngoại vụ|city|H24.12|15|days|0.3|
Giải quyết khiếu nại lần đầu|Khiếu nại, tố cáo|commune||30|days|0.5|
Đăng ký phương tiện thủy nội địa|Giao thông vận tải|city|H24.07|3|working_days|0.6|o
"""


def _templates() -> list[Template]:
    rows = [line.split("|") for line in _PROCEDURES.strip().splitlines()]
    return [Template(*r[:4], int(r[4]), r[5], float(r[6]), r[7]) for r in rows]


TEMPLATES = _templates()

UNKNOWN_PROCEDURES = ["9.009001", "9.009002"]  # in the log, in no registry row

CALENDAR = [  # calendar_id, on, open, hours, source
    ("default", "2026-01-02", "no", "", "Công văn 12729/VPCP-KGVX ngày 25/12/2025 (hoán đổi ngày làm việc)"),
    ("default", "2026-01-10", "yes", "", "Công văn 12729/VPCP-KGVX ngày 25/12/2025 (làm bù)"),
]

_AGAINST_2024 = ("2024-01-01", "2025-01-01")
_IN_2025, _IN_2026 = ("2025-01-01", "2026-01-01"), ("2026-01-01", "2027-01-01")
_RESOLUTION_66 = "Nghị quyết 66/NQ-CP ngày 26/3/2025"
TARGETS = [  # name, basis, reduction, baseline_from, baseline_to, period_from, period_to, tag, source
    ("nq66-2025", "actual", 0.3, *_AGAINST_2024, *_IN_2025, "", _RESOLUTION_66),
    ("nq66-2026", "actual", 0.5, *_AGAINST_2024, *_IN_2026, "", _RESOLUTION_66),
    ("nq66-2025-business", "actual", 0.3, *_AGAINST_2024, *_IN_2025, "business", _RESOLUTION_66),
    ("city-limit-30", "limit", 0.3, *_AGAINST_2024, *_IN_2025, "", "Chương trình của thành phố"),
    ("city-limit-50", "limit", 0.5, *_AGAINST_2024, *_IN_2025, "", "Quyết định ngày 03/9/2025 của thành phố"),
]

RECIPIENTS = [  # email, name, audience, scope, schedule, language
    ("lanh-dao@haiphong.example", "Lãnh đạo Ủy ban nhân dân thành phố", "city", "", "daily monthly", "vi"),
    ("kiem-soat-tthc@haiphong.example", "Văn phòng UBND", "city", "", "reporting_month quarterly", "vi"),
    ("giam-doc@trungtam.haiphong.example", "Giám đốc Trung tâm", "centre", "unit:HP-TT1", "daily", "vi"),
    ("co-so-2@trungtam.haiphong.example", "Phụ trách cơ sở 2", "centre", "unit:HP-TT2", "daily", "vi"),
    ("so-xay-dung@haiphong.example", "Sở Xây dựng", "department", "unit:H24.07", "daily monthly", "vi"),
    ("dat-dai@haiphong.example", "Văn phòng Đăng ký đất đai", "department", "unit:H24.18", "daily", "vi"),
    ("quan-ly-dat@haiphong.example", "Phòng Quản lý đất đai", "department", "field:Đất đai", "monthly", "vi"),
]
