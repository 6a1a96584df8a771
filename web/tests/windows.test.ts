import { expect, test } from "vitest";
import { cellOfTap, groupEndingAt, slid, valueAt } from "../src/components/windows";
import type { Place, Step, Table, Thought } from "../src/protocol";

const table = (cells: number[][], marks: Table["marks"] = []): Table => ({ title: "", cells, marks, row_labels: [], column_labels: [] });
const thought = (table: Table | null, part = 0): Thought => ({ kind: table ? "window" : "reason", html: "", part, table, terms: [], rest: null });
const marks = [
  { row: 2, column: 0, mark: "zero window" },
  { row: 0, column: 2, mark: "window" },
  { row: 0, column: 0, mark: "window" },
  { row: 2, column: 2, mark: "window" },
  { row: 1, column: 1, mark: "zero" },
];
const step = (...thoughts: Thought[]) => ({ thoughts }) as unknown as Step;

test("three maps are a group, whose taps go row by row, also with gaps between them", () => {
  const maps = [table([[1, 2, 3], [4, 5, 6], [7, 8, 9]], marks), table([[1, 2], [3, 4]]), table([[1, 6], [21, 36]])];
  const told = step(thought(null), ...maps.map((map) => thought(map)));
  const group = groupEndingAt(told, 3)!;
  expect(group.taps.map(({ row, column }) => [row, column])).toEqual([[0, 0], [0, 2], [2, 0], [2, 2]]);
  group.taps.forEach((tap, k) => {
    const pair = valueAt(group.map, tap) * valueAt(group.kernel, cellOfTap(group.kernel, k));
    expect(pair).toBe(valueAt(group.product, cellOfTap(group.product, k)));
  });
  expect([0, 1, 2].map((k) => groupEndingAt(told, k))).toEqual([null, null, null]);
});

test("a window that is cut off, or maps of several shares, are no group", () => {
  const maps = [table([[1, 2, 3]], marks.slice(1, 3)), table([[1, 2], [3, 4]]), table([[1, 6], [21, 36]])];
  expect(groupEndingAt(step(...maps.map((map) => thought(map))), 2)).toBeNull();
  const whole = table([[1, 2, 3], [4, 5, 6], [7, 8, 9]], marks);
  expect(groupEndingAt(step(thought(whole, 0), thought(maps[1]!, 1), thought(maps[2]!, 1)), 2)).toBeNull();
});

test("the window slides along its row, then to the next, and stops at the ends", () => {
  const place = (row: number, column: number): Place => ({ quantity: "value", name: "conv1", index: [0, 1, row, column] });
  expect(slid(place(0, 2), [2, 2, 3], 1)).toEqual(place(1, 0));
  expect(slid(place(1, 0), [2, 2, 3], -1)).toEqual(place(0, 2));
  expect(slid(place(1, 2), [2, 2, 3], 1)).toBeNull();
  expect(slid(place(0, 0), [2, 2, 3], -1)).toBeNull();
  expect(slid({ ...place(0, 0), index: [0, 3] }, [9], 1)).toBeNull();
});
