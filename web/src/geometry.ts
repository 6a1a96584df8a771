import type { Layout } from "./tensors";

export interface Spot {
  row: number;
  column: number;
}

/** Which part of a map is drawn, and how large its cells are, in pixels. */
export interface View {
  top: number;
  left: number;
  rows: number;
  columns: number;
  width: number;
  height: number;
  /** A short vector: one cell below the other, with its numbers. */
  list: boolean;
  /** Whether this is only a part of the map. */
  part: boolean;
  /** Whether cells are large enough for their numbers. */
  numbers: boolean;
}

const LARGEST = 44; // pixels of a cell
const NUMBERS = 35; // from here on numbers fit into cells
const SMALLEST = 4; // below, only a part of the map is shown
const PART = 28; // rows and columns of that part
const LIST = { width: 84, least: 17, most: 38 };

const within = (value: number, least: number, most: number) => Math.max(least, Math.min(most, value));

/** A map in `room` pixels; of a large one the part around `middle`. */
export function viewOf(layout: Layout, room: number, middle: Spot): View {
  const list = layout.columns === 1 && layout.folded;
  const part = Math.max(layout.rows, layout.columns) * SMALLEST > room && !list;
  const rows = part ? Math.min(PART, layout.rows) : layout.rows;
  const columns = part ? Math.min(PART, layout.columns) : layout.columns;
  const size = within(Math.floor((2 * room) / Math.max(rows, columns)) / 2, SMALLEST, LARGEST);
  return {
    top: within(middle.row - Math.floor(rows / 2), 0, layout.rows - rows),
    left: within(middle.column - Math.floor(columns / 2), 0, layout.columns - columns),
    rows,
    columns,
    width: columns * (list ? LIST.width : size),
    height: rows * (list ? within(Math.floor(room / rows), LIST.least, LIST.most) : size),
    list,
    part,
    numbers: list || size >= NUMBERS,
  };
}
