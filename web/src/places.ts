import type { Place } from "./protocol";

/** A place as explain names it: conv1[0,3,4] without its sample, conv1.weight[0,0,1,1]. */
export function placeText(place: Place): string {
  const index = place.quantity === "parameter" ? place.index : place.index.slice(1);
  return index.length ? `${place.name}[${index.join(",")}]` : place.name;
}

export function samePlace(a: Place | null, b: Place | null): boolean {
  return a === b || (!!a && !!b && a.quantity === b.quantity && a.name === b.name && a.index.join() === b.index.join());
}

/** For the address: v:conv1[0,3,4], g:..., p:conv1.weight[0,0,1,1]. */
export function placeCode(place: Place): string {
  return `${place.quantity[0]}:${place.name}[${place.index.join(",")}]`;
}

const QUANTITIES: Record<string, Place["quantity"]> = { v: "value", g: "gradient", p: "parameter" };

export function placeFromCode(code: string): Place | null {
  const found = /^([vgp]):([^[\]]+)\[([\d,]*)\]$/.exec(code);
  if (!found) return null;
  const [, letter, name, inner] = found as unknown as [string, string, string, string];
  return { quantity: QUANTITIES[letter]!, name, index: inner ? inner.split(",").map(Number) : [] };
}
