import { decode, encode } from "../arrays";
import type { Answer, Ask, Failure, Question, Text } from "../protocol";
import { type Host, questionKey } from "./host";

/** What Python writes into a file: src/chainrule/explorer/recording.py. */
export interface Recording {
  format: "chainrule.recording";
  version: 1;
  encoding: "deflate+base64";
  /** The sample that is shown first. */
  sample: number;
  /** {key of a question: number of its block}, and blocks, each deflated and as base64. */
  index: string;
  blocks: string[];
  /** The sentence for a question that was not recorded. */
  missing: Text;
}

/** In the answers {"$": 7} stands for text number 7. */
interface Block {
  texts: string[];
  answers: Record<string, object>;
}
type Cut = [number, number] | null | undefined;

async function inflate<T>(base64: string): Promise<T> {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return (await new Response(stream).json()) as T;
}

/** Answers from the recording that a static file carries; a block is inflated when something in it is first asked for. */
export class RecordedHost implements Host {
  readonly kind = "recorded";
  private readonly index: Promise<Record<string, number>>;
  private readonly blocks = new Map<number, Promise<Block>>();
  private sample: number;
  private state = 0;

  constructor(private readonly recording: Recording) {
    this.sample = recording.sample;
    this.index = inflate(recording.index);
  }

  async ask<A extends Ask>(asked: Question<A>): Promise<Answer<A> | Failure> {
    const question = asked as Question;
    const found = question.ask === "sample" ? await this.choose(question.index) : await this.find(question);
    if (!found) return { ok: false, error: { kind: "not_recorded", text: this.recording.missing } };
    return { ...found, ok: true, state: this.state } as Answer<A>;
  }

  /** A sample is chosen here; the file holds no exploration that would remember it. */
  private async choose(sample: number): Promise<object | undefined> {
    const held = await this.look({ ask: "overview", sample, lang: "en" });
    if (!held) return undefined;
    this.sample = sample;
    this.state++;
    return {};
  }

  private async find(question: Question): Promise<object | undefined> {
    if (question.ask === "array") {
      const { first, count, rows, columns, ...whole } = question;
      const found = (await this.look({ ...whole, sample: whole.sample ?? this.sample })) as Whole | undefined;
      return found && cut(found, first ?? 0, count, rows, columns);
    }
    if (question.ask === "step" || question.ask === "nudge") return this.look(question.place.quantity === "parameter" ? { ...question, sample: this.sample } : question);
    if (question.ask === "overview" || question.ask === "tour") return this.look({ ...question, sample: question.sample ?? this.sample });
    return this.look(question);
  }

  private async look(question: object): Promise<object | undefined> {
    const key = questionKey(question);
    const number = (await this.index)[key];
    if (number === undefined) return undefined;
    let block = this.blocks.get(number);
    if (!block) this.blocks.set(number, (block = inflate<Block>(this.recording.blocks[number]!)));
    const { texts, answers } = await block;
    return withTexts(answers[key], texts) as object | undefined;
  }
}

function withTexts(value: unknown, texts: string[]): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((member) => withTexts(member, texts));
  if ("$" in value) return texts[value.$ as number];
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withTexts(member, texts)]));
}

interface Whole {
  array: { shape: number[]; data: string; first: number; least: number; most: number };
}

/** Maps `first` to `first + count` of a whole array, and of each the rows and columns asked for, as the server answers. */
function cut(whole: Whole, first: number, count: number | undefined, rows: Cut, columns: Cut): object {
  const { shape } = whole.array;
  const data = decode(whole.array.data);
  const maps = shape[0]!;
  const end = Math.min(maps, first + (count ?? maps));
  const [height, width] = [shape.length > 2 ? shape.at(-2)! : 1, shape.length > 1 ? shape.at(-1)! : 1];
  const [top, bottom] = shape.length > 2 ? (rows ?? [0, height]) : [0, height];
  const [left, right] = shape.length > 1 ? (columns ?? [0, width]) : [0, width];
  const planes = data.length / maps / (height * width);
  const part = new Float64Array((end - first) * planes * (bottom - top) * (right - left));
  let at = 0;
  for (let plane = first * planes; plane < end * planes; plane++)
    for (let row = top; row < bottom; row++) {
      const start = (plane * height + row) * width;
      part.set(data.subarray(start + left, start + right), at);
      at += right - left;
    }
  const size = [...shape];
  size[0] = end - first;
  if (shape.length > 1) size[size.length - 1] = right - left;
  if (shape.length > 2) size[size.length - 2] = bottom - top;
  const spans = { rows: shape.length > 2 ? [top, bottom] : null, columns: shape.length > 1 ? [left, right] : null };
  return { ...whole, ...spans, array: { ...whole.array, first, shape: size, data: encode(part) } };
}
