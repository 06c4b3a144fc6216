"""Vega-Lite specifications to SVG that belongs to the page: its colours and type are the page's, its words are few.

vl-convert runs Vega in the process, without a browser and (``allowed_base_urls=[]``) without a network. Its SVG is parsed, thinned out
and written again: sizes become a view box, fonts and role attributes go (the figure has one name, one description and a table),
empty elements go. The first conversion costs about a second, each further one some .05 s.
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

from markupsafe import Markup, escape

from assay.reporting.text import clean

SPACE = "{http://www.w3.org/2000/svg}"
DROPPED = frozenset(
    {
        "aria-label",
        "aria-roledescription",
        "aria-hidden",
        "role",
        "class",
        "pointer-events",
        "font-family",
        "font-weight",
    }
)
NUMBER = re.compile(r"-?\d+\.\d{2,}")
DRAWN = frozenset({"path", "line", "text", "rect", "circle"})


def draw(spec: dict[str, Any]) -> str:
    """A Vega-Lite specification as SVG text.

    A control character in a label would end the whole process (vl-convert 1.9 aborts on one), so that none gets there.
    """
    import vl_convert

    return str(vl_convert.vegalite_to_svg(_cleaned(spec), allowed_base_urls=[]))


def _cleaned(part: Any) -> Any:
    if isinstance(part, str):
        return clean(part)
    if isinstance(part, dict):
        return {name: _cleaned(value) for name, value in part.items()}
    return [_cleaned(value) for value in part] if isinstance(part, list | tuple) else part


def inline(source: str, identity: str, title: str, description: str) -> Markup:
    """SVG text as an element of an HTML page, named by ``title`` and ``description`` for those who do not see it.

    ``identity`` is unique on the page. The parser refuses what is not well-formed, so nothing in a label can break out.
    """
    root = ElementTree.fromstring(source)
    box = root.get("viewBox", "0 0 1 1")
    body = "".join(_written(child) for child in root)
    width = round(float(box.split()[2]))
    named = f'<title id="{identity}-t">{escape(title)}</title><desc id="{identity}-d">{escape(description)}</desc>'
    return Markup(
        f'<svg viewBox="{box}" role="img" aria-labelledby="{identity}-t {identity}-d" style="max-width:{width}px" '
        f'fill="none" stroke-miterlimit="10">{named}{body}</svg>'
    )


def _written(element: ElementTree.Element) -> str:
    """An element and what it holds, without attributes that the page does not want; empty where it draws nothing."""
    name = element.tag.removeprefix(SPACE)
    if name not in DRAWN and name != "g":
        return ""
    inner = "".join(_written(child) for child in element) or str(escape(element.text or ""))
    attributes = {key: _rounded(value) for key, value in element.attrib.items() if key not in DROPPED}
    if name == "g":
        attributes = {key: value for key, value in attributes.items() if value != "translate(0,0)"}
        return inner if not attributes or not inner else f"<g{_listed(attributes)}>{inner}</g>"
    return "" if _is_blank(name, attributes, inner) else f"<{name}{_listed(attributes)}>{inner}</{name}>"


def _is_blank(name: str, attributes: dict[str, str], inner: str) -> bool:
    """Whether nothing would be seen of it: Vega draws many frames without ink."""
    if attributes.get("display") == "none" or (name == "text" and not inner):
        return True
    fill, stroke = attributes.get("fill", "none"), attributes.get("stroke", "none")
    return name != "text" and fill in {"none", "transparent"} and stroke in {"none", "transparent"}


def _listed(attributes: dict[str, str]) -> str:
    return "".join(f' {key}="{escape(value)}"' for key, value in attributes.items() if (key, value) != ("opacity", "1"))


def _rounded(value: str) -> str:
    """Coordinates to a tenth of a pixel."""
    return NUMBER.sub(lambda found: f"{float(found.group()):.1f}".removesuffix(".0"), value)
