"""scikit-learn's own checks, all of them, none expected to fail."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

pytest.importorskip("sklearn")

from sklearn.utils.estimator_checks import check_estimator

from chainrule.sklearn import CNNClassifier, CNNRegressor


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("estimator", [CNNClassifier(), CNNRegressor()], ids=repr)
def test_every_check_of_scikit_learn(estimator: Any) -> None:
    results = check_estimator(estimator, on_fail=None)
    failed = [
        (row["check_name"], str(row["exception"])) for row in results if row["status"] not in ("passed", "skipped")
    ]
    assert not failed
    assert sum(row["status"] == "passed" for row in results) >= 55


def test_chainrule_does_not_import_scikit_learn() -> None:
    program = "import sys, chainrule; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_without_scikit_learn_one_sentence_names_the_extra() -> None:
    program = "import sys; sys.modules['sklearn'] = None; import chainrule.sklearn"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    last = done.stderr.strip().splitlines()[-1]
    assert "MissingExtraError: chainrule.sklearn needs an optional package" in last
    assert "chainrule[sklearn]" in last
