// Questions and answers between the page and Python, version 1. Python's side: src/chainrule/explorer.

export type Lang = "en" | "zh";
export type View = "value" | "gradient";
export type Text = Record<Lang, string>;

/** Where a number lives. The index of a node's number begins with the sample; "parameter" is a parameter's gradient. */
export interface Place {
  quantity: "value" | "gradient" | "parameter";
  name: string;
  index: number[];
}

export interface Range {
  least: number;
  most: number;
}

/** `data` is base64 of little-endian float64; `least` and `most` are those of the whole tensor, not of this part. */
export interface ArrayData extends Range {
  shape: number[];
  data: string;
  first: number;
}

export interface ParameterOverview {
  name: string;
  shape: number[];
  trainable: boolean;
  value: Range;
  gradient: Range;
}

export interface NodeOverview {
  name: string;
  layer: string;
  text: string;
  about: string;
  inputs: string[];
  shape: number[];
  column: number;
  row: number;
  parameters: ParameterOverview[];
  value: Range;
  gradient: Range;
}

export interface Capabilities {
  train: boolean;
  draw: boolean;
  mistakes: boolean;
  examples: boolean;
  save: boolean;
}

export interface NamedValue {
  name: string;
  value: number;
}

export interface ClassValue extends NamedValue {
  number: number;
  /** Whether the target names it. */
  right: boolean;
}

export interface OverviewAnswer {
  network: string;
  /** Of an example; else empty. */
  title: string;
  sample: number;
  samples: number;
  /** How many of the last samples were drawn. */
  drawn: number;
  /** Steps of training since the start. */
  trained: number;
  target: string;
  class_names: string[] | null;
  loss: NamedValue & { text: string; place: Place };
  /** Whether `classes` are probabilities; else outputs. */
  probable: boolean;
  classes: ClassValue[];
  nodes: NodeOverview[];
  goals: string[];
  parameter_count: number;
  picture: { preparation: string; ground: string; black: number; white: number; shape: number[] } | null;
  capabilities: Capabilities;
  notes: string[];
}

export interface ArrayAnswer {
  array: ArrayData;
  size: number;
  scale: Range;
}

export interface TableMark {
  row: number;
  column: number;
  mark: string;
}

/** A small map with marks: "window", "winner", "here", "largest", "zero" (several are separated by spaces). */
export interface Table {
  title: string;
  cells: (number | null)[][];
  marks: TableMark[];
  row_labels: string[];
  column_labels: string[];
}

/** An expression as plain text and as MathML. */
export interface Written {
  text: string;
  mathml: string;
}

export interface Term {
  symbols: Written;
  numbers: Written | null;
  value: number;
  places: Place[];
}

export type ThoughtKind = "reason" | "formula" | "numbers" | "window" | "winner" | "sum" | "branch" | "result";

/** What the player stops at. `html` is explain's own block, with MathML. */
export interface Thought {
  kind: ThoughtKind;
  html: string;
  /** Which share of the number it belongs to; null: the whole. */
  part: number | null;
  table: Table | null;
  terms: Term[];
  rest: { count: number; total: number; html: string } | null;
}

/** Places that a number was made from. */
export interface Link {
  name: string;
  quantity: Place["quantity"];
  role: "upstream" | "input" | "weight" | "output";
  indices: number[][];
  values: number[];
  /** How many there are in truth; `indices` are at most 4,096. */
  count: number;
}

/** "given": a number of the sample itself, which nothing computes. */
export interface Step {
  place: Place;
  kind: "value" | "gradient" | "parameter" | "loss" | "given";
  title: string;
  /** A sentence for each layer whose rule is told. */
  about: string[];
  symbol: Written;
  result: number;
  engine_value: number;
  thoughts: Thought[];
  links: Link[];
}

export interface Stop {
  pass: "forward" | "backward";
  place: Place;
  node: string;
  title: string;
}

/** A number moved `by` to `value`: the loss there, its change, and what its gradient foretold. */
export interface NudgePoint {
  by: number;
  value: number;
  loss: number;
  change: number;
  predicted: number;
  predicted_loss: number;
  /** Whether the two changes are within a tenth of each other. */
  near: boolean;
}

export interface NudgeAnswer {
  place: Place;
  start: number;
  gradient: number;
  step: number;
  before: number;
  after: number;
  change: number;
  predicted: number;
  span: number;
  spans: number[];
  points: NudgePoint[];
}

export interface SetAnswer {
  count: number;
  before: number;
  after: number;
  change: number;
  predicted: number;
  near: boolean;
}

export interface TrainAnswer {
  /** Before the first step, and after each. */
  losses: number[];
  batch: number;
  learned_from: number;
  steps: number;
}

export interface ExampleEntry {
  name: string;
  title: string;
  kind: "story" | "network";
}

export interface MistakeEntry {
  key: string;
  tensor: string;
  /** The node or parameter whose gradient it spoils; of a node that branches, the share through this layer. */
  of: string;
  share: boolean;
  sentence: string;
}

export interface MistakeAnswer {
  key: string;
  sentence: string;
  tensor: string;
  of: string;
  right: ArrayData;
  wrong: ArrayData;
  difference: ArrayData;
  first: number;
  count: number;
  size: number;
  scale: Range;
  diagnosis: string[];
}

/** Each question with its answer. */
export interface Questions {
  overview: { q: { sample?: number; lang: Lang }; a: OverviewAnswer };
  array: {
    q: { name: string; quantity: View; sample: number; first?: number; count?: number; rows?: [number, number]; columns?: [number, number] };
    a: ArrayAnswer;
  };
  step: { q: { place: Place; lang: Lang; terms?: number; map?: number }; a: { step: Step } };
  tour: { q: { sample?: number; lang: Lang; of?: string }; a: { of: string; stops: Stop[] } };
  nudge: { q: { place: Place; by?: number; span?: number }; a: NudgeAnswer };
  set: { q: { changes: { place: Place; value: number }[] }; a: SetAnswer };
  reset: { q: { what?: "weights" | "pixels" | "all" }; a: object };
  draw: { q: { pixels: ArrayData; target: number; raw?: boolean }; a: object };
  sample: { q: { index: number }; a: object };
  train: { q: { steps: number; learning_rate: number; of?: "sample" | "all"; batch?: number }; a: TrainAnswer };
  undo_training: { q: object; a: object };
  examples: { q: { lang: Lang }; a: { examples: ExampleEntry[] } };
  example: { q: { name: string }; a: object };
  mistakes: { q: { node: string; lang: Lang }; a: { mistakes: MistakeEntry[] } };
  mistake: { q: { node: string; key: string; first?: number; count?: number; lang: Lang }; a: MistakeAnswer };
  text: { q: { lang: Lang }; a: { html: string } };
  /** The server's own, where it was started with --save: it writes the network as it is now. */
  save: { q: object; a: { path: string } };
}

export type Ask = keyof Questions;
export type Question<A extends Ask = Ask> = { [K in A]: { ask: K } & Questions[K]["q"] }[A];
export type Answer<A extends Ask = Ask> = Questions[A]["a"] & { ok: true; state: number };

export interface Failure {
  ok: false;
  error: { kind: string; text: Text };
}

/** The questions that change the exploration: after them every earlier answer is stale. */
export type Change = "set" | "reset" | "draw" | "sample" | "train" | "undo_training" | "example";
