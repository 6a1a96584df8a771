"""Compare the version of pyproject.toml with the newest release in CHANGELOG.md."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Return 0 when both agree, otherwise print both and return 1."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    releases = re.findall(r"^## \[(\d[^\]]*)\]", changelog, flags=re.MULTILINE)
    if releases[:1] == [version]:
        print(f"version {version}: pyproject.toml and CHANGELOG.md agree")
        return 0
    newest = releases[0] if releases else "no release"
    print(f"pyproject.toml says {version}, the newest entry of CHANGELOG.md is {newest}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
