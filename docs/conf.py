"""The site, in one language at a time: `make docs` builds English, then Chinese (-D language=zh_CN)."""

from __future__ import annotations

import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS / "_ext")]

import chainrule  # noqa: E402

project = "chainrule"
author = "chainrule contributors"
copyright = author
release = version = chainrule.__version__
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "cells", "mathml", "bilingual", "api"]
myst_enable_extensions = ["dollarmath", "deflist", "colon_fence", "attrs_inline"]
myst_heading_anchors = 3
myst_links_external_new_tab = False
exclude_patterns = [
    *("book/README.md", "node_modules", "tables", "_*"),
    *[path.name for path in DOCS.glob("*.md") if path.stem != "index"],
]
suppress_warnings = ["myst.header"]
nitpicky = False

locale_dirs = ["locale"]
gettext_compact = False
gettext_location = False
gettext_uuid = False
figure_language_filename = "{root}{ext}"

html_theme = "furo"
html_title = "chainrule"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
templates_path = ["_templates"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_copyright = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b5394", "color-brand-content": "#0b5394"},
    "dark_css_variables": {"color-brand-primary": "#8ab8ff", "color-brand-content": "#8ab8ff"},
}
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"

autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_type_aliases = {"Array": "Array", "ArrayLike": "ArrayLike", "Values": "Values"}
add_module_names = False
autodoc_member_order = "bysource"
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/language.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
