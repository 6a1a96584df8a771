import type { Place, Step, Table, Thought } from "../protocol";

export interface Cell {
  row: number;
  column: number;
}

/** A window over a map, the kernel that lies on it, and the product of each pair: three maps that follow one another. */
export interface WindowGroup {
  map: Table;
  kernel: Table;
  product: Table;
  /** Where each cell of the kernel lies on the map, in row-major order. */
  taps: Cell[];
}

/** The group whose last map is thought `k`; null where there is none, or where a part of the window is not shown. */
export function groupEndingAt(step: Step, k: number): WindowGroup | null {
  const [map, kernel, product] = step.thoughts.slice(Math.max(0, k - 2), k + 1) as (Thought | undefined)[];
  if (!map?.table || !kernel?.table || !product?.table || map.part !== product.part) return null;
  const taps = map.table.marks.filter(({ mark }) => mark.split(" ").includes("window")).sort((a, b) => a.row - b.row || a.column - b.column);
  const size = (table: Table) => table.cells.length * (table.cells[0]?.length ?? 0);
  if (!taps.length || size(kernel.table) !== taps.length || size(product.table) !== taps.length) return null;
  return { map: map.table, kernel: kernel.table, product: product.table, taps };
}

/** The cell of a small map that tap number `tap` is. */
export function cellOfTap(table: Table, tap: number): Cell {
  const columns = table.cells[0]?.length ?? 1;
  return { row: Math.floor(tap / columns), column: tap % columns };
}

export function valueAt(table: Table, { row, column }: Cell): number {
  return table.cells[row]?.[column] ?? NaN;
}

/** The place to which the window slides: the next in its row, then the first of the next row; null at the ends. */
export function slid(place: Place, shape: number[], by: 1 | -1): Place | null {
  const [rows, columns] = shape.slice(-2) as [number, number];
  const [row, column] = place.index.slice(-2) as [number, number];
  const next = row * columns + column + by;
  if (shape.length !== 3 || next < 0 || next >= rows * columns) return null;
  return { ...place, index: [...place.index.slice(0, -2), Math.floor(next / columns), next % columns] };
}
