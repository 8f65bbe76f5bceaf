"""How Sphinx builds the site: offline, from Markdown, docstrings, the schema and the commands; opened as files."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

import simtrial

project = "simtrial"
author = "the simtrial authors"
copyright = "the simtrial authors, MIT licence"  # noqa: A001 - Sphinx names it so
version = release = simtrial.__version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "numpydoc",
    "docstrings",
    "examples",
    "interface",
    "mathml",
    "printed_numbers",
    "reference",
]
exclude_patterns = ["extensions", "paper"]

myst_enable_extensions = ["deflist", "dollarmath", "colon_fence", "fieldlist"]
myst_heading_anchors = 3

# the names of parameters are what a reader looks up, not their modules
add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings state types, shapes and units
autodoc_default_options = {"no-value": True}  # a register with all its functions is no value to read
autodoc_preserve_defaults = True  # as the code writes them
numpydoc_show_class_members = False

language = "en"

html_theme = "furo"
html_title = f"simtrial {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}

smartquotes_action = "qe"  # two hyphens are those of an option, no dash

# every reference of pages and docstrings must resolve
nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", r"(numpy|np|pandas|pd|matplotlib|scipy|pydantic|pathlib|collections|datetime|typing)\..*"),  # not ours
]

# examples run in an empty folder; the same inputs give the same pages
examples_work = os.environ.get("SIMTRIAL_DOCS_WORK") or str(Path(__file__).parent.parent / "build" / "docs-work")
