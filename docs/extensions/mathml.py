"""Formulas as MathML, which browsers draw without a script: the page stays readable offline."""

from typing import Any

from latex2mathml.converter import convert
from sphinx.application import Sphinx


def inline(translator: Any, node: Any) -> None:
    """Write a formula within a sentence."""
    translator.body.append(convert(node.astext()))
    raise translator_skip()


def block(translator: Any, node: Any) -> None:
    """Write a formula on a line of its own."""
    translator.body.append(f'<div class="math">{convert(node.astext(), display="block")}</div>')
    raise translator_skip()


def translator_skip() -> Exception:
    """Give what tells docutils that the children are done."""
    from docutils.nodes import SkipNode

    return SkipNode()


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer that ``html_math_renderer = "mathml"`` asks for."""
    app.add_html_math_renderer("mathml", inline_renderers=(inline, None), block_renderers=(block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
