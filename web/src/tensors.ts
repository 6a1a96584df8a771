// How a tensor is laid out as maps: (c, h, w) as c maps; (n,) as one map, folded; weights (o, d, i, j) as o · d maps,
// (o, i) as o folded rows.

/** One map as rows and columns of cells; a folded vector may have fewer cells than places. */
export interface Layout {
  /** How many maps. */
  maps: number;
  rows: number;
  columns: number;
  /** Cells of a map. */
  size: number;
  folded: boolean;
  /** Leading axes of the index that number the maps. */
  leading: number[];
}

export interface Cell {
  map: number;
  row: number;
  column: number;
}

const LONGEST_LIST = 12;

/** Columns of a vector of `size` numbers: a list, or a rectangle a little wider than high, without a ragged end if possible. */
export function foldedColumns(size: number): number {
  if (size <= LONGEST_LIST) return 1;
  const wanted = 1.2 * Math.sqrt(size);
  let best = 0;
  for (let k = Math.floor(wanted / 1.6); k <= wanted * 1.4; k++) {
    if (k > 0 && size % k === 0 && Math.abs(k - wanted) < Math.abs(best - wanted)) best = k;
  }
  return best || Math.ceil(wanted);
}

export function layoutOf(shape: number[]): Layout {
  if (shape.length >= 3) {
    const [rows, columns] = shape.slice(-2) as [number, number];
    const leading = shape.slice(0, -2);
    return { maps: leading.reduce((a, b) => a * b, 1), rows, columns, size: rows * columns, folded: false, leading };
  }
  const size = shape.at(-1) ?? 1;
  const columns = foldedColumns(size);
  const leading = shape.slice(0, -1);
  return { maps: leading[0] ?? 1, rows: Math.ceil(size / columns), columns, size, folded: true, leading };
}

/** The cell of an index (without its sample). */
export function cellOf(layout: Layout, index: number[]): Cell {
  const axes = layout.leading.length;
  const map = layout.leading.reduce((sum, extent, axis) => sum * extent + (index[axis] ?? 0), 0);
  const [first = 0, second = 0] = index.slice(axes);
  if (layout.folded) return { map, row: Math.floor(first / layout.columns), column: first % layout.columns };
  return { map, row: first, column: second };
}

/** The index (without its sample) of a cell. */
export function indexOf(layout: Layout, cell: Cell): number[] {
  return [...mapIndex(layout, cell.map), ...(layout.folded ? [cell.row * layout.columns + cell.column] : [cell.row, cell.column])];
}

/** The leading part of an index: which map. */
export function mapIndex(layout: Layout, map: number): number[] {
  const found: number[] = [];
  for (const extent of [...layout.leading].reverse()) {
    found.unshift(map % extent);
    map = Math.floor(map / extent);
  }
  return found;
}

/** Position within the numbers of a map; -1 where a folded vector has no cell. */
export function positionOf(layout: Layout, cell: { row: number; column: number }): number {
  const position = cell.row * layout.columns + cell.column;
  const inside = cell.row >= 0 && cell.column >= 0 && cell.row < layout.rows && cell.column < layout.columns;
  return inside && position < layout.size ? position : -1;
}

/** The outline of some cells as an SVG path in units of cells: an edge wherever the neighbour is not among them. */
export function outline(cells: { row: number; column: number }[]): string {
  const key = (row: number, column: number) => row * 1_000_003 + column;
  const inside = new Set(cells.map((cell) => key(cell.row, cell.column)));
  let path = "";
  for (const { row: r, column: c } of cells) {
    if (!inside.has(key(r - 1, c))) path += `M${c} ${r}h1`;
    if (!inside.has(key(r + 1, c))) path += `M${c} ${r + 1}h1`;
    if (!inside.has(key(r, c - 1))) path += `M${c} ${r}v1`;
    if (!inside.has(key(r, c + 1))) path += `M${c + 1} ${r}v1`;
  }
  return path;
}
