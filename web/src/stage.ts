import type { Exploration } from "./exploration.svelte";
import type { Link, Place, Step, View } from "./protocol";

/** A tensor that has a part in the step: the one the number stands in, or one that it was made from. */
export interface Actor {
  name: string;
  quantity: View;
  isParameter: boolean;
  role: "this" | Link["role"];
  /** Indices without their sample. */
  indices: number[][];
  values: number[];
}

/** What stands between two actors. */
export type Sign = "→" | "←" | "×" | "+";

const bare = (quantity: Place["quantity"], index: number[]) => (quantity === "parameter" ? index : index.slice(1));

/** What a step is made of, from left to right as in the network; a parameter stands before the node that it serves. */
export function actorsOf(exploration: Exploration, place: Place, step: Step | null): Actor[] {
  const found: (Actor & { position: number })[] = [];
  const nodes = exploration.overview?.nodes ?? [];
  /** By columns, and within a column node by node, so that each branch stands together. */
  const position = (name: string): number => {
    const own = exploration.nodeOf(name);
    const node = own ?? exploration.nodeOfPlace({ quantity: "parameter", name, index: [] });
    return node ? node.column * nodes.length + nodes.indexOf(node) + (own ? 0.5 : 0) : 0;
  };
  if (!exploration.isLoss(place)) {
    const isParameter = place.quantity === "parameter";
    const quantity = place.quantity === "value" ? "value" : "gradient";
    const own = { name: place.name, quantity, isParameter, role: "this", indices: [bare(place.quantity, place.index)], values: [] } as const;
    found.push({ ...own, indices: [...own.indices], values: [], position: position(place.name) });
  }
  for (const link of step?.links ?? []) {
    if (!exploration.nodeOf(link.name) && !exploration.parameterOf(link.name)) continue; // the loss
    const quantity: View = link.quantity === "gradient" ? "gradient" : "value";
    const isParameter = link.quantity === "parameter";
    const indices = link.indices.map((index) => bare(link.quantity, index));
    const same = found.find((actor) => actor.name === link.name && actor.quantity === quantity && actor.role !== "this");
    if (same) {
      same.indices = [...same.indices, ...indices];
      same.values = [...same.values, ...link.values];
    } else {
      found.push({ name: link.name, quantity, isParameter, role: link.role, indices, values: link.values, position: position(link.name) });
    }
  }
  return found.sort((a, b) => a.position - b.position);
}

export function signsOf(actors: Actor[]): Sign[] {
  const own = actors.findIndex((actor) => actor.role === "this");
  return actors.slice(1).map((actor, k) => {
    if (k + 1 === own) return "→";
    if (k === own) return "←";
    const before = actors[k]!.role;
    const branch = before === "upstream"; // what came back through one consumer ends with its gradient
    return branch || actor.role === before ? "+" : "×";
  });
}

/** The index that weighs most: its map is the one shown. */
export function weightiest(actor: Actor): number[] | undefined {
  let best = 0;
  for (let k = 1; k < actor.values.length; k++) if (Math.abs(actor.values[k]!) > Math.abs(actor.values[best]!)) best = k;
  return actor.indices[best];
}
