"""No module of the explainer imports itself by way of others, not even within functions."""

from __future__ import annotations

import grimp

ROOM = "chainrule.explain"


def packages_of(module: str) -> set[str]:
    """The packages below the explainer's that hold a module."""
    parts = module.removeprefix(f"{ROOM}.").split(".")[:-1]
    return {".".join([ROOM, *parts[: k + 1]]) for k in range(len(parts))}


def imports() -> dict[str, set[str]]:
    """What each module imports, with the packages that run first because they hold it; not what only type checkers
    read."""
    graph = grimp.build_graph("chainrule", exclude_type_checking_imports=True, cache_dir=None)
    modules = {ROOM, *graph.find_descendants(ROOM)}
    wanted = {module: graph.find_modules_directly_imported_by(module) & modules for module in modules}
    return {
        module: found | {p for other in found for p in packages_of(other) - packages_of(module) - {module}}
        for module, found in wanted.items()
    }


def test_the_explainer_has_no_import_circle() -> None:
    left = imports()
    assert left[f"{ROOM}.maps"], "the graph is empty"
    while ready := {module for module, wanted in left.items() if not wanted & set(left)}:
        for module in ready:
            del left[module]
    assert not left, f"these import one another: {sorted(left)}"
