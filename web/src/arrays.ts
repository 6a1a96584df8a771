import type { ArrayData } from "./protocol";

export function decode(base64: string): Float64Array {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  return new Float64Array(bytes.buffer);
}

export function encode(numbers: Float64Array): string {
  const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** Maps one after another, each of the same size. */
export interface Maps {
  /** The number of the first map among all of the tensor. */
  first: number;
  count: number;
  /** Numbers in a map. */
  size: number;
  data: Float64Array;
}

/** The numbers of an answer as maps of `size` numbers. */
export function toMaps(array: ArrayData, first: number, size: number): Maps {
  const data = decode(array.data);
  return { first, count: data.length / size, size, data };
}

/** One map, by its number among all of the tensor. */
export function mapOf(maps: Maps, number: number): Float64Array {
  const position = number - maps.first;
  return maps.data.subarray(position * maps.size, (position + 1) * maps.size);
}

/** Where the largest size stands. */
export function largest(data: Float64Array): number {
  let best = 0;
  for (let k = 1; k < data.length; k++) if (Math.abs(data[k]!) > Math.abs(data[best]!)) best = k;
  return best;
}

const PADDED = new WeakMap<ArrayBufferLike, Map<number, Float64Array>>();

/** The same numbers, filled up with NaN where a folded vector ends within a row. */
export function padded(data: Float64Array, size: number): Float64Array {
  if (data.length >= size) return data;
  const kept = PADDED.get(data.buffer) ?? new Map<number, Float64Array>();
  PADDED.set(data.buffer, kept);
  let found = kept.get(data.byteOffset);
  if (!found) {
    found = new Float64Array(size).fill(NaN);
    found.set(data);
    kept.set(data.byteOffset, found);
  }
  return found;
}
