"""The charts: the same bytes each time, opaque, with words that carry the figures."""

import io

import matplotlib
import pytest
import report_samples as samples
from matplotlib.image import imread

from procmon.report import build, charts
from procmon.report.parts import CutDot, Drawing, TrendPoint

TREND = (
    TrendPoint("T11/2024", 1.0, 900, True),
    TrendPoint("T10/2025", None, 3, False),
    TrendPoint("T11/2025", 0.928, 922, False),
)


def test_only_charts_with_numbers_are_drawn():
    assert charts.draw(Drawing((), (0.3,), (), ())) == ()
    assert charts.draw(Drawing((TrendPoint("T1", None, 0, True),), (0.3,), (("Giữ nguyên", 0),), ())) == ()
    names = [image.name for image in build(samples.city(), samples.about()).images]
    assert names == ["xu-huong", "thoi-han", "tung-tthc"]


def test_the_alternative_text_has_the_key_figures():
    (trend,) = charts.draw(Drawing(TREND, (0.3, 0.5), (), ()))
    assert "T11/2025: 92,8% (n = 922)" in trend.alt
    assert "−30%, −50%" in trend.alt


def test_a_picture_is_opaque_white_and_twice_its_css_size():
    (image,) = charts.draw(Drawing(TREND, (0.3,), (), ()))
    pixels = imread(io.BytesIO(image.png))
    assert pixels.shape[:2] == (2 * image.height, 2 * image.width)
    assert pixels[0, 0].tolist() == [1.0] * pixels.shape[2]


def test_the_machines_own_style_changes_nothing_and_is_left_alone():
    drawing = Drawing(TREND, (0.3,), (), (CutDot("Đăng ký", 0.2, 0.1, 0.3),))
    before = charts.draw(drawing)
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "text.usetex": True}):
        assert charts.draw(drawing) == before
        assert matplotlib.rcParams["font.size"] == 30


@pytest.mark.parametrize("name", ["$\\frac{1}{$", "漢字 🏠", "a" * 500, "", "x\\n$$"])
def test_a_hostile_label_is_drawn_as_text(name):
    dot = CutDot(name, -3.0, -4.0, -2.0)
    (image,) = charts.draw(Drawing((), (0.3,), (), (dot,)))
    assert image.png.startswith(b"\x89PNG")


def test_a_picture_carries_no_trace_of_program_or_clock():
    (image,) = charts.draw(Drawing(TREND, (0.3,), (), ()))
    assert b"Software" not in image.png
    assert b"tEXt" not in image.png
