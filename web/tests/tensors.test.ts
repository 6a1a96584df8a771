import { describe, expect, it } from "vitest";
import { cellOf, foldedColumns, indexOf, layoutOf, outline, positionOf } from "../src/tensors";

describe("tensors as maps", () => {
  const shapes = [[7], [84], [120], [1000], [997], [6, 28, 28], [3, 1, 5], [16, 6, 5, 5], [10, 84], [2, 2]];

  it.each(shapes)("finds every cell again: %j, %j, %j, %j", (...shape) => {
    const layout = layoutOf(shape);
    expect(layout.maps * layout.size).toBe(shape.reduce((a, b) => a * b, 1));
    const random = (extent: number, k: number) => (7919 * (k + 3)) % extent;
    for (let k = 0; k < 50; k++) {
      const index = shape.map((extent, axis) => random(extent, k + axis));
      const cell = cellOf(layout, index);
      expect(positionOf(layout, cell)).toBeGreaterThanOrEqual(0);
      expect(indexOf(layout, cell)).toEqual(index);
    }
  });

  it("numbers cells in row-major order, as the numbers travel", () => {
    const layout = layoutOf([16, 6, 5, 5]);
    expect(cellOf(layout, [2, 3, 1, 4])).toEqual({ map: 15, row: 1, column: 4 });
    expect(positionOf(layout, { row: 1, column: 4 })).toBe(9);
    expect(positionOf(layoutOf([997]), { row: 0, column: 5 })).toBe(5);
  });

  it("folds a vector without a ragged end where it can, and lists a short one", () => {
    expect([1, 2, 10, 12].map(foldedColumns)).toEqual([1, 1, 1, 1]);
    for (const size of [84, 120, 400, 512, 1000]) expect(size % foldedColumns(size)).toBe(0);
    const odd = layoutOf([997]);
    expect(odd.rows * odd.columns).toBeGreaterThanOrEqual(997);
    expect(positionOf(odd, { row: odd.rows - 1, column: odd.columns - 1 })).toBe(-1);
    expect(positionOf(odd, { row: -1, column: 0 })).toBe(-1);
  });

  it("outlines a window once around, and cells apart each", () => {
    const edges = (path: string) => path.match(/M/g)?.length ?? 0;
    const window = [0, 1, 2].flatMap((row) => [0, 1, 2].map((column) => ({ row, column })));
    expect(edges(outline(window))).toBe(12);
    expect(edges(outline([{ row: 0, column: 0 }, { row: 2, column: 2 }]))).toBe(8);
  });
});
