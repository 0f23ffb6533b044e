"""`Report` → the page, the mail's two bodies and its subject."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import css_inline
import pyarrow as pa
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from procmon.report import charts
from procmon.report.content import compose
from procmon.report.parts import Report
from procmon.tables import About, Image, Page

LONGEST_SUBJECT = 200


def build(data: Mapping[str, pa.Table], about: About) -> Page:
    """The page of one audience, scope and period, and the parts of the mail that carries it.

    Args:
        data: content.TABLES, each as in `tables.py`, already filtered to the page's scope; any of them may be empty.
        about: what the page says of itself; its `as_of` is the only clock.

    Returns: a `Page`; the same input gives the same bytes.
    Raises: KeyError if a table is missing.
    """
    report = compose(data, about)
    images = charts.draw(report.drawing)
    return Page(
        html=_render("page.html.j2", report, images),
        subject=_one_line(_render("subject.txt.j2", report, images)),
        mail_html=_inlined(_render("mail.html.j2", report, images)),
        mail_text=_render("mail.txt.j2", report, images),
        images=images,
        headlines=report.headlines,
    )


def template_folder() -> Path:
    """Where the templates are: inside an installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    shipped = package / "_shipped" / "templates"
    return shipped if shipped.is_dir() else package.parent / "templates"


@cache
def _environment() -> Environment:
    """Everything is escaped but plain text, which has nothing to escape for."""
    environment = Environment(
        loader=FileSystemLoader(template_folder()),
        autoescape=select_autoescape(disabled_extensions=("txt.j2",), default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_uri"] = _data_uri
    return environment


def _render(template: str, report: Report, images: tuple[Image, ...]) -> str:
    by_name = {image.name: image for image in images}
    return _environment().get_template(template).render(report=report, images=by_name)


def _data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"


def _one_line(text: str) -> str:
    """A subject: one line, and nothing in it that a mail reader would take for an encoded word."""
    line = " ".join(text.split()).replace("=?", "= ?").replace("?=", "? =")
    return line if len(line) <= LONGEST_SUBJECT else line[: LONGEST_SUBJECT - 1].rstrip() + "…"


def _inlined(html: str) -> str:
    """The mail with every rule on its element; nothing is fetched."""
    inliner = css_inline.CSSInliner(
        load_remote_stylesheets=False, keep_at_rules=True, apply_width_attributes=True, keep_style_tags=False
    )
    return inliner.inline(html)
