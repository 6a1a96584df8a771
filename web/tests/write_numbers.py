"""Writes numbers.json: numbers as `chainrule.explain` prints them, which the page must print alike."""

import json
from pathlib import Path

import numpy as np

from chainrule.explain.notations import to_text
from chainrule.explain.words import short
from chainrule.expressions import Num

rng = np.random.default_rng(12)
values = [0.0, -0.0, 1.0, -1.0, 0.1, 0.25, 1 / 3, -2 / 3, 123456.0, 1234567.0, 999999.5, 9999995.0, 99999.95]
values += [0.0001, 0.00001, 1e-4 * 0.99999951]
values += [
    1e9,
    123456789.0,
    2.0**40,
    1e21,
    1e22,
    1e-300,
    5e-324,
    1.7976931348623157e308,
    0.5,
    2.5,
    0.30000000000000004,
    1e5,
    1e6,
    1e7 + 0.5,
]
values += [
    0.125,
    0.375,
    1.25,
    1.35,
    12.5,
    100000.5,
    100001.5,
    -100002.5,
    1000.125,
    1000.375,
    1234567890.5,
    0.00006103515625,
]  # ties
values += [float(v) for e in range(-12, 13) for v in rng.normal(size=12) * 10.0**e]
rows = [
    {"value": v, "digits": d, "number": to_text(Num(v, d)), "short": short(v, d)}
    for v in values
    for d in (1, 2, 4, 6, 17)
]
text = "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n"
Path(__file__).with_name("numbers.json").write_text(text, encoding="utf-8")
