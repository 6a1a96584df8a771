"""The hand-written stub of the C++ core names exactly what the core offers, with the same parameters."""

from __future__ import annotations

import ast
from pathlib import Path

import chainrule

STUB = Path(chainrule.__file__).with_name("_native.pyi")


def signatures(text: str) -> dict[str, list[str]]:
    """Qualified name of every public class and function, with its parameter names (none for a class)."""
    found: dict[str, list[str]] = {}

    def visit(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef):
                found[prefix + node.name] = []
                visit(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, ast.FunctionDef) and (node.name == "__init__" or node.name[0] != "_"):
                arguments = node.args
                names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
                found[prefix + node.name] = names

    visit(ast.parse(text).body, "")
    return found


def test_stub_matches_the_compiled_core() -> None:
    from nanobind.stubgen import StubGen

    from chainrule import _native

    generator = StubGen(_native)
    generator.put(_native)
    compiled = signatures(generator.get())
    assert compiled, "the generated stub is empty"
    assert signatures(STUB.read_text(encoding="utf-8")) == compiled


def test_build_info_says_how_the_core_was_built() -> None:
    from chainrule import _native

    info = _native.build_info()
    assert info["cpp_standard"] >= 202002
    assert info["compiler"]
