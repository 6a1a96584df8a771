"""The reference of all public names, from their docstrings.

    ```{api} chainrule.zoo
    lenet5 mlp ...            names in the order in which they are shown; `*` for all others of the module's `__all__`
    ```

Docstrings are plain text with columns, in which `name` is code: paragraphs become paragraphs, columns stay columns, and
code that names something public becomes a link. A public name of `chainrule` that no page shows fails the build.
"""

from __future__ import annotations

import importlib
import inspect
import re
from functools import cache
from types import ModuleType
from typing import Any

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError

FENCE = re.compile(r"^```\{api\} (?P<module>\S+)\n(?P<names>.*?)^```$", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"(?<!`)`(?P<code>[^`\n]+)`(?!`)")
SPECIAL = re.compile(r"([\\*_|])")
MODULES = ("chainrule.data", "chainrule.zoo", "chainrule.preprocessing", "chainrule.plots", "chainrule.exercises")


def read(app: Sphinx, docname: str, content: list[str]) -> None:
    """Write the names of a page out as what autodoc reads; catalogues need no docstrings."""
    if app.builder.name == "gettext":
        content[0] = FENCE.sub("", content[0])
    content[0] = FENCE.sub(lambda fence: _directives(fence["module"], fence["names"].split()), content[0])


def _directives(module: str, names: list[str]) -> str:
    home = importlib.import_module(module)
    if "*" in names:
        at = names.index("*")
        names[at : at + 1] = sorted(set(getattr(home, "__all__", ())) - set(names))
    lines = ["```{eval-rst}"]
    for name in names:
        thing = getattr(home, name)
        if inspect.isclass(thing):
            members = [] if _of_a_kind(thing) else ["   :members:", "   :exclude-members: __init__"]
            lines += [f".. autoclass:: {module}.{name}", *members, ""]
        elif callable(thing):
            lines += [f".. autofunction:: {module}.{name}", ""]
        elif not isinstance(thing, ModuleType):
            lines += [f".. autodata:: {module}.{name}", "   :no-value:", ""]
    return "\n".join([*lines, "```"])


def _of_a_kind(thing: type) -> bool:
    """Whether a class does what its base class says: a layer, a loss, ...; its own docstring says the rest."""
    import chainrule

    kinds = (chainrule.Layer, chainrule.Loss, chainrule.Optimizer, chainrule.Schedule)
    return issubclass(thing, kinds) and thing not in kinds


@cache
def public() -> dict[str, str]:
    """What a docstring may call a public thing, and its full name."""
    import chainrule

    known: dict[str, str] = {}
    for module in ("chainrule", *MODULES):
        home = importlib.import_module(module)
        short = module.rpartition(".")[2].replace("chainrule", "cr")
        for name in getattr(home, "__all__", ()):
            thing = getattr(home, name)
            if not isinstance(thing, ModuleType):
                known.setdefault(name, f"{module}.{name}")
                known[f"{short}.{name}"] = f"{module}.{name}"
    for method, thing in vars(chainrule.Network).items():
        if not method.startswith("_") and callable(thing):
            known.setdefault(f"net.{method}", f"chainrule.Network.{method}")
            known.setdefault(f"Network.{method}", f"chainrule.Network.{method}")
    return known


def process(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """A docstring as reStructuredText."""
    blocks = "\n".join(lines).strip("\n").split("\n\n")
    lines[:] = "\n\n".join(_block(block, name) for block in blocks).split("\n")


def _block(block: str, name: str) -> str:
    if re.search(r"^ |\S {3,}\S", block, re.MULTILINE):
        return "::\n\n" + "\n".join("   " + line for line in block.split("\n"))
    parts, end = [], 0
    for found in CODE.finditer(block):
        parts += [SPECIAL.sub(r"\\\1", block[end : found.start()]), _code(found["code"], name)]
        end = found.end()
    return "".join([*parts, SPECIAL.sub(r"\\\1", block[end:])])


def _code(code: str, name: str) -> str:
    target = public().get(code.partition("(")[0])
    if target is None or target == name:
        return f"``{code}``"
    return f":py:obj:`{code} <{target}>`"


def complete(app: Sphinx, env: BuildEnvironment) -> None:
    """Every public name of the package is somewhere."""
    if app.builder.name == "gettext":
        return
    import chainrule

    shown = {name for name, _, _, _, _, _ in env.get_domain("py").get_objects()}
    missing = [
        name
        for name in chainrule.__all__
        if f"chainrule.{name}" not in shown and not isinstance(getattr(chainrule, name), ModuleType)
    ]
    if missing:
        raise ExtensionError(f"no page of the reference shows {', '.join(missing)}; add them to docs/reference/api")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("source-read", read, priority=450)
    app.connect("autodoc-process-docstring", process)
    app.connect("env-check-consistency", complete)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
