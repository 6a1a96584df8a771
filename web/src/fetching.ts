import { decode, type Maps } from "./arrays";
import type { Answer, Question, View } from "./protocol";
import { layoutOf } from "./tensors";

const PAGE = 65_536; // numbers in one answer

type AskArray = (question: Question<"array">) => Promise<Answer<"array"> | null>;

interface Wanted {
  name: string;
  quantity: View;
  sample: number;
  shape: number[];
  first: number;
  count: number;
}

/** `count` maps from `first`, in as many questions as it takes; null as soon as one has no answer. */
export async function fetchMaps(ask: AskArray, wanted: Wanted): Promise<Maps | null> {
  const { name, quantity, sample, shape } = wanted;
  const layout = layoutOf(shape);
  const items = shape.length === 1 ? 1 : shape[0]!; // of the leading axis, along which answers are paged
  const each = layout.maps / items || 1; // maps of one item
  const from = Math.floor(wanted.first / each);
  const to = Math.min(items, Math.ceil((wanted.first + wanted.count) / each));
  const numbers = each * layout.size;
  const parts: Float64Array[] = [];
  for (const extra of shape.length === 1 ? pieces(layout.size) : ranges(from, to, numbers, shape)) {
    const answer = await ask({ ask: "array", name, quantity, sample, ...extra });
    if (!answer) return null;
    parts.push(decode(answer.array.data));
  }
  const data = joined(parts);
  const first = shape.length === 1 ? 0 : from * each;
  return { first, count: data.length / layout.size, size: layout.size, data };
}

type Extra = Pick<Question<"array">, "first" | "count" | "rows" | "columns">;

/** A vector, in pieces. */
function* pieces(size: number): Generator<Extra> {
  for (let first = 0; first < size; first += PAGE) yield { first, count: Math.min(PAGE, size - first) };
}

/** Items of the leading axis; one that is larger than an answer is cut into rows, or a row of weights into columns. */
function* ranges(from: number, to: number, numbers: number, shape: number[]): Generator<Extra> {
  if (numbers <= PAGE) {
    const most = Math.floor(PAGE / numbers);
    for (let first = from; first < to; first += most) yield { first, count: Math.min(most, to - first) };
    return;
  }
  const key = shape.length === 2 ? "columns" : "rows";
  const extent = shape.length === 2 ? shape[1]! : shape.at(-2)!;
  const most = Math.max(1, Math.floor((PAGE * extent) / numbers));
  for (let first = from; first < to; first++) {
    for (let start = 0; start < extent; start += most) {
      yield { first, count: 1, [key]: [start, Math.min(extent, start + most)] };
    }
  }
}

function joined(parts: Float64Array[]): Float64Array {
  if (parts.length === 1) return parts[0]!;
  const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
