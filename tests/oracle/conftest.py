"""One thread for torch: the tensors are small, and others share the machine."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
torch.set_num_threads(1)
