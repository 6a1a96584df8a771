"""Inputs made from the corpus by hypothesis: pieces replaced, cut out, doubled, joined."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.fuzz.targets import CORPUS


def seeds(name: str) -> list[bytes]:
    """The corpus of a target."""
    return [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]


@st.composite
def inputs(draw: st.DrawFn, name: str) -> bytes:
    """A seed after a few edits, or bytes from nowhere."""
    known = seeds(name)
    content = bytearray(draw(st.sampled_from(known) | st.binary(max_size=200)))
    for _ in range(draw(st.integers(0, 5))):
        begin = draw(st.integers(0, len(content)))
        end = min(len(content), begin + draw(st.integers(0, 12)))
        other = draw(st.sampled_from(known))
        start = draw(st.integers(0, len(other)))
        piece = draw(
            st.binary(max_size=8)
            | st.just(bytes(content[begin:end]) * 3)
            | st.just(other[start : start + 40])
            | st.sampled_from([b"\x00", b"\xff" * 4, b"\xff\xff\xff\x7f", b"999999999", b"-1", b"1e999", b"[" * 40])
        )
        content[begin:end] = piece
    return bytes(content)
