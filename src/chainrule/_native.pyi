"""The C++ core of chainrule."""

def build_info() -> dict[str, str | int]:
    """How the core was built: compiler, C++ standard, OpenMP version (0 without threads)."""
