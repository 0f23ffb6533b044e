"""`Drawing` → PNG pictures with alternative text; the same numbers give the same bytes.

Pictures are drawn at twice their CSS size, on opaque white, in matplotlib's own DejaVu Sans, and say with words,
line styles and marks whatever they also say with colour.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.layout_engine import ConstrainedLayoutEngine

from procmon.report import words
from procmon.report.parts import CutDot, Drawing, TrendPoint
from procmon.tables import Image

WIDTH = 560  # CSS pixels: half a wide page, and still readable when a phone shrinks it
SHARPNESS = 2
FONT = "DejaVu Sans"
INK, FAINT, BLUE, ORANGE, GREEN = "#1a1a1a", "#595959", "#0b4f8a", "#a33b00", "#1b6b3a"
LABEL_LENGTH = 30
LINE_LENGTH = 23
TARGET_STYLES = ("--", ":", "-.")


def draw(drawing: Drawing) -> tuple[Image, ...]:
    """The charts for which there are numbers: `xu-huong`, `thoi-han`, `tung-tthc`."""
    images = []
    with _own_style():
        if any(point.ratio is not None for point in drawing.trend):
            images.append(_trend(drawing.trend, drawing.targets))
        if any(n for _, n in drawing.classes):
            images.append(_classes(drawing.classes))
        if drawing.cuts:
            images.append(_cuts(drawing.cuts, drawing.targets))
    return tuple(images)


@contextmanager
def _own_style() -> Iterator[None]:
    """Nothing of the machine's matplotlib settings, and no text read as mathematics."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {
                "font.family": FONT,
                "font.size": 12.5,
                "text.parse_math": False,
                "text.color": INK,
                "axes.labelcolor": INK,
                "axes.edgecolor": FAINT,
                "axes.unicode_minus": True,
                "axes.spines.top": False,
                "axes.spines.right": False,
                "xtick.color": INK,
                "ytick.color": INK,
            }
        )
        yield


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(get_font(findfont(FontProperties(family=FONT))).get_charmap())


def _drawable(text: str, most: int = LABEL_LENGTH) -> str:
    """`text` cut to a label's length, with □ for what the font cannot draw."""
    return "".join(c if ord(c) in _glyphs() else "□" for c in words.shorten(text, most))


def _on_two_lines(text: str) -> str:
    return "\n".join(textwrap.wrap(_drawable(text, 2 * LINE_LENGTH), LINE_LENGTH, max_lines=2, placeholder="…"))


def _axes(height: int) -> tuple[Figure, Axes]:
    roomy = ConstrainedLayoutEngine(w_pad=0.18)  # inches, for a label at the very edge
    figure = Figure(figsize=(WIDTH / 100, height / 100), dpi=100 * SHARPNESS, facecolor="white", layout=roomy)
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _image(name: str, figure: Figure, alt: str, height: int) -> Image:
    # css-inline writes an attribute's angle brackets bare, which a mail reader's filter may take for a tag.
    alt = alt.replace("<", "‹").replace(">", "›")
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None}, facecolor="white", transparent=False)
    return Image(name, stream.getvalue(), alt, WIDTH, height)


def _trend(points: Sequence[TrendPoint], targets: Sequence[float]) -> Image:
    height = 400
    figure, axes = _axes(height)
    places = range(len(points))
    ratios = [float("nan") if point.ratio is None else point.ratio * 100 for point in points]
    axes.plot(places, ratios, color=BLUE, linewidth=2, zorder=3)
    for is_baseline, mark, name in ((True, "s", "kỳ gốc"), (False, "o", "sau kỳ gốc")):
        at = [i for i in places if points[i].is_baseline is is_baseline and points[i].ratio is not None]
        if at:
            axes.plot(at, [ratios[i] for i in at], mark, color=BLUE, markersize=6, label=name, zorder=4)
    axes.axhline(100, color=INK, linewidth=1.2, label="mức kỳ gốc = 100%")
    for i, target in enumerate(targets):
        style = TARGET_STYLES[i % len(TARGET_STYLES)]
        color = (ORANGE, GREEN, FAINT)[i % 3]
        name = f"mục tiêu −{words.plain(target * 100)}%"
        axes.axhline(100 * (1 - target), color=color, linewidth=1.6, linestyle=style, label=name)
    step = max(1, -(-len(points) // 8))
    shown = list(places)[::step]
    axes.set_xticks(shown, [_drawable(points[i].label) for i in shown], rotation=45, ha="right")
    axes.set_ylim(0, max(115.0, *(110 * (p.ratio or 0) for p in points)))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0f}%")
    axes.set_ylabel("so với kỳ gốc")
    axes.grid(axis="y", color="#dddddd", linewidth=0.8)
    figure.legend(loc="outside upper left", ncols=2, fontsize=11.5, frameon=False)
    return _image("xu-huong", figure, _trend_alt(points, targets), height)


def _trend_alt(points: Sequence[TrendPoint], targets: Sequence[float]) -> str:
    known = [point for point in points if point.ratio is not None]
    last, lowest = known[-1], min(known, key=lambda point: point.ratio or 0)
    lines = ", ".join(f"−{words.plain(target * 100)}%" for target in targets)
    return (
        "Biểu đồ đường: thời gian giải quyết so với kỳ gốc (100%)."
        f" Gần nhất, {last.label}: {words.percent(last.ratio)} (n = {words.count(last.n)})."
        f" Thấp nhất, {lowest.label}: {words.percent(lowest.ratio)}. Đường mục tiêu: {lines}."
    )


def _classes(classes: Sequence[tuple[str, int]]) -> Image:
    height = 300
    figure, axes = _axes(height)
    total = sum(n for _, n in classes)
    places = range(len(classes))
    axes.barh(places, [n for _, n in classes], color=BLUE, height=0.6)
    axes.set_yticks(places, [_drawable(name) for name, _ in classes])
    axes.invert_yaxis()
    for place, (_, n) in zip(places, classes, strict=True):
        axes.text(n, place, f" {words.count(n)} ({words.share(n, total)})", va="center")
    axes.set_xlim(0, 1.9 * max(n for _, n in classes))
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.set_xlabel("số TTHC")
    said = "; ".join(f"{name}: {words.count(n)} ({words.share(n, total)})" for name, n in classes)
    return _image("thoi-han", figure, f"Biểu đồ thanh: TTHC theo mức cắt giảm thời hạn trên giấy. {said}.", height)


def _cuts(dots: Sequence[CutDot], targets: Sequence[float]) -> Image:
    height = 150 + 44 * len(dots)
    figure, axes = _axes(height)
    places = range(len(dots))
    cuts = [dot.cut * 100 for dot in dots]
    spread = ([(d.cut - d.lower) * 100 for d in dots], [(d.upper - d.cut) * 100 for d in dots])
    axes.errorbar(
        cuts, list(places), xerr=[[max(0.0, x) for x in side] for side in spread], fmt="o", color=BLUE, capsize=3
    )
    axes.axvline(0, color=INK, linewidth=1.2, label="không đổi")
    for i, target in enumerate(targets):
        style, color = TARGET_STYLES[i % len(TARGET_STYLES)], (ORANGE, GREEN, FAINT)[i % 3]
        name = f"mục tiêu {words.plain(target * 100)}%"
        axes.axvline(100 * target, color=color, linewidth=1.6, linestyle=style, label=name)
    axes.set_yticks(list(places), [_on_two_lines(dot.label) for dot in dots])
    axes.set_ylim(len(dots) - 0.4, -0.6)
    farthest = [100 * end for dot in dots for end in (dot.lower, dot.upper)] + [100 * target for target in targets]
    axes.set_xlim(max(-150.0, min(-10.0, *farthest) * 1.08), min(100.0, max(farthest) * 1.08))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0f}%".replace("-", "−"))
    axes.set_xlabel("mức giảm (số âm: tăng)")
    axes.grid(axis="x", color="#dddddd", linewidth=0.8)
    figure.legend(loc="outside upper left", ncols=3, fontsize=11.5, frameon=False)
    best, worst = dots[0], dots[-1]
    alt = (
        f"Biểu đồ điểm: mức giảm thời gian thực tế của {words.count(len(dots))} TTHC nhiều hồ sơ nhất, có khoảng"
        f" tin cậy 95%. Giảm nhiều nhất: {best.label}, {words.cut(best.cut)};"
        f" ít nhất: {worst.label}, {words.cut(worst.cut)}."
    )
    return _image("tung-tthc", figure, alt, height)
