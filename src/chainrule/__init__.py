"""chainrule: networks whose every backward pass is written by hand from the chain rule."""


def __getattr__(name: str) -> str:
    """`chainrule.__version__`, read from the package metadata on first use."""
    if name == "__version__":
        from importlib.metadata import version

        return version("chainrule")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
