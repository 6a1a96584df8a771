from typing import Any

from numpy.typing import NDArray

def build_info() -> dict[str, Any]:
    """How the core was built: compiler and C++ standard."""

def isas() -> list[tuple[str, dict[int, list[int]], dict[int, int], int]]:
    """Instruction sets of this processor, fastest first: name, lanes and channel vector by number size, registers."""

def thread_count() -> int:
    """Threads that a call may use: what was set, else as many as the calling thread has processors."""

def set_thread_count(most: int, quota: int) -> None:
    """Set the number of threads of a call. 0: the calling thread's processors, at most `quota` if that is not 0."""

def multiply_add_peak(isa: str, number_bytes: int, threads: int, seconds: float) -> float:
    """Floating-point operations per second of threads that only multiply and add: the machine's peak."""

def schema() -> dict[str, dict[str, str]]:
    """The kind of every field of every record of a plan."""

def enumerations() -> dict[str, list[str]]:
    """The values of every enumeration among them."""

def limits() -> dict[str, int]:
    """Sizes that a lowering has to keep to."""

class Plan:
    """A network lowered to operations, and the memory to run them in."""

    def __init__(self, description: Any) -> None:
        """From a PlanDescription. Raises ValueError if a record is malformed."""

    def set_values(self, parameters: NDArray[Any], buffers: NDArray[Any]) -> None: ...
    def get_values(self, parameters: NDArray[Any], buffers: NDArray[Any]) -> None: ...
    def get_gradient(self, out: NDArray[Any]) -> None: ...
    def run(
        self,
        inputs: NDArray[Any],
        bytes: bool,
        targets: NDArray[Any] | None,
        labels: NDArray[Any] | None,
        weights: NDArray[Any] | None,
        scale: float,
        exports: list[NDArray[Any]],
        samples: int,
        seed: int,
        step: int,
        threads: int,
    ) -> tuple[float, int, bool]: ...
    def train(self, request: Any) -> int:
        """From an EpochRequest; the number of steps done. Raises ValueError if it is malformed."""

    def memory_bytes(self) -> int: ...
