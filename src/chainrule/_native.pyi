from typing import Any

from numpy.typing import NDArray

def build_info() -> dict[str, Any]:
    """How the core was built: compiler, C++ standard, OpenMP version (0 without threads)."""

def isas() -> list[tuple[str, dict[int, list[int]], dict[int, int], int]]:
    """Instruction sets of this processor, fastest first: name, lanes and channel vector by number size, registers."""

def thread_count() -> int:
    """Threads that a plan would use: OpenMP's, 1 in a forked child."""

def multiply_add_peak(isa: str, number_bytes: int, threads: int, seconds: float) -> float:
    """Floating-point operations per second of threads that only multiply and add: the machine's peak."""

class Plan:
    """A network lowered to operations, and the memory to run them in."""

    def __init__(
        self,
        isa: str,
        number_bytes: int,
        lanes: int,
        sizes: dict[str, int],
        stages: list[tuple[list[tuple[str, dict[str, Any]]], list[tuple[bool, dict[str, Any]]]]],
        finishes: list[dict[str, Any]],
        packs: list[dict[str, Any]],
        zeroed: list[int],
    ) -> None: ...
    def set_values(self, parameters: NDArray[Any], buffers: NDArray[Any]) -> None: ...
    def get_values(self, parameters: NDArray[Any], buffers: NDArray[Any]) -> None: ...
    def get_gradient(self, out: NDArray[Any]) -> None: ...
    def run(
        self,
        inputs: NDArray[Any],
        bytes: bool,
        targets: NDArray[Any] | None,
        labels: NDArray[Any] | None,
        exports: list[NDArray[Any]],
        samples: int,
        seed: int,
        step: int,
        threads: int,
    ) -> tuple[float, int, bool]: ...
    def train(
        self,
        inputs: NDArray[Any],
        bytes: bool,
        targets: NDArray[Any] | None,
        labels: NDArray[Any] | None,
        order: NDArray[Any],
        batch_size: int,
        rates: NDArray[Any],
        first: int,
        seed: int,
        step: int,
        update: dict[str, Any],
        memories: int,
        trainable: list[int],
        losses: NDArray[Any],
        correct: NDArray[Any],
        threads: int,
    ) -> int: ...
    def memory_bytes(self) -> int: ...
