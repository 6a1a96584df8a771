import { expect, it } from "vitest";
import { viewOf } from "../src/geometry";
import { layoutOf } from "../src/tensors";

const middle = (row: number, column: number) => ({ row, column });

it("shows a whole map as large as its room allows, with numbers where they fit", () => {
  const digit = viewOf(layoutOf([6, 28, 28]), 170, middle(3, 3));
  expect(digit).toMatchObject({ top: 0, left: 0, rows: 28, columns: 28, part: false, numbers: false });
  expect(digit.width).toBeLessThanOrEqual(170);
  expect(viewOf(layoutOf([16, 6, 5, 5]), 180, middle(0, 0))).toMatchObject({ width: 180, numbers: true });
  expect(viewOf(layoutOf([10]), 220, middle(0, 0))).toMatchObject({ list: true, height: 220, numbers: true });
});

it("shows of a large map the part around what matters, within its borders", () => {
  const large = layoutOf([2, 200, 300]);
  expect(viewOf(large, 170, middle(100, 120))).toMatchObject({ part: true, rows: 28, columns: 28, top: 86, left: 106 });
  expect(viewOf(large, 170, middle(0, 299))).toMatchObject({ top: 0, left: 272 });
});
