import type { ArrayData } from "./protocol";

/** Numbers of an array as the page uses them: maps one after another, each rows × columns. */
export interface Maps {
  count: number;
  rows: number;
  columns: number;
  first: number;
  least: number;
  most: number;
  data: Float64Array;
}

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

/** An array as maps: the last two axes are rows and columns, all before them count maps. A vector is one row. */
export function toMaps(array: ArrayData): Maps {
  const columns = array.shape.at(-1) ?? 1;
  const rows = array.shape.at(-2) ?? 1;
  const data = decode(array.data);
  return { count: data.length / (rows * columns), rows, columns, first: array.first, least: array.least, most: array.most, data };
}

/** One map of several. */
export function mapOf(maps: Maps, position: number): Float64Array {
  const size = maps.rows * maps.columns;
  return maps.data.subarray(position * size, (position + 1) * size);
}
