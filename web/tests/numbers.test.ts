import { expect, it } from "vitest";
import { number, short } from "../src/numbers";
import table from "./numbers.json";

it("prints every number of Python's table as Python does", () => {
  expect(table.length).toBeGreaterThan(1000);
  const different = table.filter((row) => number(row.value, row.digits) !== row.number || short(row.value, row.digits) !== row.short);
  expect(different.map((row) => [row, number(row.value, row.digits), short(row.value, row.digits)])).toEqual([]);
});

it("prints what is not finite", () => {
  expect([number(Infinity), number(-Infinity), number(NaN), short(null)]).toEqual(["∞", "−∞", "nan", ""]);
});
