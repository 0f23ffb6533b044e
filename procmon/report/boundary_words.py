"""The Vietnamese of boundaries: why a procedure is not proven, roles, and what a comparison may claim."""

from __future__ import annotations

from procmon.report import words

WHY_NOT_PROVEN = {
    "refused": "có hồ sơ bị từ chối vì không đúng thẩm quyền, địa bàn",
    "no_dossiers": "không có hồ sơ nào",
    "only_online": "chỉ có hồ sơ trực tuyến",
    "none_crossed": "không có hồ sơ nào xác định được là ngoài địa giới",
    "few_finished": "quá ít hồ sơ ngoài địa giới đã xong",
    "few_units": "quá ít nơi tiếp nhận ngoài địa giới",
    "without_receiving_unit": "dữ liệu không ghi đơn vị tiếp nhận",
    "without_resolving_unit": "dữ liệu không ghi cơ quan giải quyết",
    "without_applicant_unit": "dữ liệu không ghi nơi cư trú của người nộp",
    "unknown_unit": "mã đơn vị không có trong danh mục, hoặc đơn vị cũ đã chia tách",
}

ROLES = {
    "receiving": "Đơn vị tiếp nhận",
    "resolving": "Cơ quan giải quyết",
    "applicant": "Nơi cư trú của người nộp",
    "returning": "Nơi trả kết quả",
}

UNANSWERABLE = {
    "cross_boundary": "hồ sơ có ngoài địa giới hay không",
    "returned_elsewhere": "kết quả có được trả ở nơi khác hay không",
}

PARITY = {
    "processing_time": "Thời gian giải quyết bình quân (ngày làm việc)",
    "supplement_share": "Tỷ lệ hồ sơ bị yêu cầu bổ sung",
    "refusal_share": "Tỷ lệ hồ sơ bị từ chối",
    "handovers": "Số lần chuyển đơn vị giữ hồ sơ, bình quân",
}

PARITY_VERDICTS = {
    "equivalent": "Tương đương",
    "slower": "Chậm hơn",
    "faster": "Nhanh hơn",
    "higher": "Cao hơn",
    "lower": "Thấp hơn",
    "not_shown": "Chưa chứng minh được là tương đương",
    "": "Không kết luận",
}

PARITY_TONES = {"equivalent": "good", "slower": "bad", "higher": "bad", "not_shown": "open"}

UNDETERMINED = "Chưa xác định (đơn vị cũ đã chia tách hoặc chưa rõ đơn vị kế thừa)"


def compared(more: float) -> str:
    """How much longer the one takes than the other: 0.26 → cao hơn 26,0%; −0.1 → thấp hơn 10,0%."""
    return f"{_beside(more)} trong mẫu" if more == 0 else _beside(more)


def compared_between(lower: float, upper: float) -> str:
    """An interval of such: cao hơn từ 17,0% đến 36,0%; từ thấp hơn 4,5% đến cao hơn 12,3%."""
    if lower > 0:
        return f"cao hơn từ {words.percent(lower)} đến {words.percent(upper)}"
    if upper < 0:
        return f"thấp hơn từ {words.percent(-upper)} đến {words.percent(-lower)}"
    return f"từ {_beside(lower)} đến {_beside(upper)}"


def _beside(more: float) -> str:
    if more == 0:
        return "bằng nhau"
    return f"cao hơn {words.percent(more)}" if more > 0 else f"thấp hơn {words.percent(-more)}"


def signed(value: float, places: int) -> str:
    """A difference with its sign: 1.24 → +1,2; −0.3 → −0,3."""
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return sign + words.number(abs(value), places)
