import type { NodeOverview } from "../protocol";

/** A line between two cards. */
export interface Edge {
  key: string;
  from: string;
  to: string;
  path: string;
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
  middle: number;
}

function boxes(grid: HTMLElement): Map<string, Box> {
  const found = new Map<string, Box>();
  for (const card of grid.querySelectorAll<HTMLElement>("[data-node]")) {
    const [left, top] = [card.offsetLeft, card.offsetTop];
    const [right, bottom] = [left + card.offsetWidth, top + card.offsetHeight];
    found.set(card.dataset.node!, { left, right, top, bottom, middle: (top + bottom) / 2 });
  }
  return found;
}

/** All lines from a node to what takes it, and from the last node to the loss. */
export function edgesOf(grid: HTMLElement, nodes: NodeOverview[]): Edge[] {
  const found = boxes(grid);
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const all = [...found.values()];
  const edges: Edge[] = [];
  const add = (from: string, to: string) => {
    const [a, b] = [found.get(from), found.get(to)];
    if (!a || !b) return;
    const [source, target] = [byName.get(from), byName.get(to)];
    const far = !!source && !!target && target.column - source.column > 1;
    edges.push({ key: `${from}>${to}`, from, to, path: far ? (source.row === target.row ? around(a, b, all) : along(a, b, source.row > target.row)) : straight(a, b) });
  };
  for (const node of nodes) for (const input of node.inputs) add(input, node.name);
  const last = nodes.at(-1);
  if (last) add(last.name, "loss");
  return edges;
}

function straight(a: Box, b: Box): string {
  const [x1, y1, x2, y2] = [a.right + 2, a.middle, b.left - 3, b.middle];
  if (Math.abs(y1 - y2) < 1) return `M${x1} ${y1}H${x2}`;
  const bend = Math.min(26, (x2 - x1) / 2) + Math.max(0, (x2 - x1) * 0.2);
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}

/** To another row: along the lower one of the two, which nobody else uses there. */
function along(a: Box, b: Box, lower: boolean): string {
  const [x1, y1, x2, y2] = [a.right + 2, a.middle, b.left - 3, b.middle];
  const bend = 34;
  if (lower) return `M${x1} ${y1}H${x2 - bend}C${x2 - bend / 2} ${y1} ${x2 - bend / 2} ${y2} ${x2} ${y2}`;
  return `M${x1} ${y1}C${x1 + bend / 2} ${y1} ${x1 + bend / 2} ${y2} ${x1 + bend} ${y2}H${x2}`;
}

/** Below all cards between the two, as a skip connection is drawn in books. */
function around(a: Box, b: Box, all: Box[]): string {
  const between = all.filter((box) => box.left >= a.left && box.right <= b.right && box.top < Math.max(a.bottom, b.bottom));
  const floor = Math.max(...between.map((box) => box.bottom)) + 19;
  const [x1, x2] = [(a.left + 2 * a.right) / 3, (2 * b.left + b.right) / 3];
  const [y1, y2] = [a.bottom + 2, b.bottom + 3];
  const r = 7;
  return `M${x1} ${y1}V${floor - r}q0 ${r} ${r} ${r}H${x2 - r}q${r} 0 ${r} ${-r}V${y2}`;
}
