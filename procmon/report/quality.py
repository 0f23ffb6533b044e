"""The section on data quality, and the sentence on it before any result."""

from __future__ import annotations

from procmon.report import words
from procmon.report.grids import cells, heads
from procmon.report.headlines import Row, Rows, total
from procmon.report.parts import Cell, Grid, Section

MOST_BATCHES = 10
"""Batch numbers named under the table of files, newest first."""


def quality_sentence(quality: Rows) -> str:
    """The largest lacks in one sentence, said before any result."""
    if not quality:
        return "Chất lượng dữ liệu: không có số liệu để đánh giá."
    lacks = [row for row in quality if row["item"] not in words.FACTS_NOT_LACKS and row["n"]]
    if not lacks:
        return f"Chất lượng dữ liệu: không phát hiện thiếu sót trong {words.count(len(quality))} mục đã kiểm tra."
    lacks.sort(key=lambda row: -row["n"] / (row["n_of"] or row["n"]))
    said = "; ".join(f"{words.within(words.label(words.QUALITY, r['item']))}: {quality_count(r)}" for r in lacks[:4])
    return f"Chất lượng dữ liệu (đọc trước khi xem kết quả): {said}."


def quality_count(row: Row) -> str:
    """`230 (1,86%)`."""
    shared = words.share(row["n"], row["n_of"])
    return words.count(row["n"]) + ("" if shared == words.EMPTY else f" ({shared})")


def quality_section(quality: Rows, taken: tuple[Grid, ...]) -> Section:
    """Every item that was counted, then what files brought (`intake_grid`) where the page is about that."""
    rows = [
        cells(
            words.label(words.QUALITY, row["item"]),
            f"{words.count(row['n'])} {words.label(words.COUNTED, row['unit_of_count'])}",
            words.count(row["n_of"]),
            words.share(row["n"], row["n_of"]),
        )
        for row in quality
    ]
    grid = Grid(
        "Các mục đã kiểm tra",
        heads("Mục", "#Số lượng", "#Trên tổng số", "#Tỷ lệ"),
        tuple(rows),
        "Không có số liệu về chất lượng dữ liệu.",
    )
    return Section(
        "chat-luong",
        "Chất lượng dữ liệu",
        lead=("Những gì dữ liệu còn thiếu. Điều chưa biết không được tính là tốt.",),
        grids=(grid, *taken),
    )


def intake_grid(intake: Rows, refusals: Rows) -> Grid:
    """What the files brought: rows by what became of them, the refused ones by reason; a sentence where none was."""
    is_of_run = any(row["is_of_run"] is not None for row in intake)
    of_run = [row for row in intake if row["is_of_run"]]
    run_batches = {row["batch"] for row in of_run}

    def line(label: str, n: int, n_of_run: int) -> tuple[Cell, ...]:
        return cells(label, *([words.count(n_of_run)] if is_of_run else []), words.count(n))

    def counted(column: str) -> tuple[Cell, ...]:
        return line(words.INTAKE[column], total(intake, column), total(of_run, column))

    rows = [line(words.INTAKE["files"], len(intake), len(of_run))]
    rows += [counted(column) for column in ("n_read", "n_stored", "n_repeated", "n_amended", "n_refused")]
    for reason in _reasons(refusals):
        refused = [row for row in refusals if row["reason"] == reason]
        in_run = [row for row in refused if row["batch"] in run_batches]
        label = f"– vì {words.label(words.REASONS, reason)}"
        rows.append(line(label, total(refused, "n"), total(in_run, "n")))
    if any(row["is_held"] for row in intake):
        rows.append(counted("is_held"))
    is_clean = not total(intake, "n_refused")
    return Grid(
        "Các tệp đã nhận",
        heads("Mục", *(["#Lần chạy này"] if is_of_run else []), "#Mọi lô đang được tính"),
        () if is_clean else tuple(rows),
        _intake_sentence(intake, of_run if is_of_run else None),
        "" if is_clean else _where_to_look(intake),
    )


def _reasons(refusals: Rows) -> list[str]:
    """The reasons, the most frequent first."""
    counts: dict[str, int] = {}
    for row in refusals:
        counts[row["reason"]] = counts.get(row["reason"], 0) + row["n"]
    return sorted(counts, key=lambda reason: (-counts[reason], reason))


def _intake_sentence(intake: Rows, of_run: Rows | None) -> str:
    """What the files brought where nothing was refused."""
    if not intake:
        return "Chưa nhận tệp nào."
    said = (
        f"Đã nhận {words.count(len(intake))} tệp, {words.count(total(intake, 'n_read'))} dòng:"
        f" {words.count(total(intake, 'n_stored'))} dòng lưu mới,"
        f" {words.count(total(intake, 'n_repeated'))} dòng lặp lại,"
        f" {words.count(total(intake, 'n_amended'))} dòng bổ sung; không có dòng nào bị từ chối."
    )
    if of_run is None:
        return said
    return f"{said} Riêng lần chạy này: {words.count(len(of_run))} tệp, {words.count(total(of_run, 'n_read'))} dòng."


def _where_to_look(intake: Rows) -> str:
    """Which command shows the refused rows, of which batches; and why two counts of refused rows may differ."""
    refused = sorted((row["batch"] for row in intake if row["n_refused"]), reverse=True)
    older = f" và {words.count(len(refused) - MOST_BATCHES)} lô cũ hơn" if len(refused) > MOST_BATCHES else ""
    return (
        "Xem từng dòng bị từ chối và cách sửa: procmon show rejects --batch N, với N là số lô:"
        f" {', '.join(map(str, refused[:MOST_BATCHES]))}{older}. Bảng này cộng mọi lần nhận tệp, kể cả nhận lại cùng"
        " một tệp; các mục đã kiểm tra ở trên tính mỗi tệp một lần."
    )
