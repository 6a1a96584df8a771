import type { Component } from "svelte";
import type { Exploration } from "../exploration.svelte";
import type { Text } from "../protocol";
import Compare from "./Compare.svelte";
import Draw from "./Draw.svelte";
import Examples from "./Examples.svelte";
import Mistakes from "./Mistakes.svelte";
import Nudge from "./Nudge.svelte";
import Train from "./Train.svelte";

/** A part of the page beside the step. Each stands in a file of its own and speaks with Python through `exploration`. */
export interface Panel {
  key: string;
  title: Text;
  component: Component<{ exploration: Exploration }>;
  /** Whether there is anything to show here; always, where it is missing. */
  available?: (exploration: Exploration) => boolean;
}

export const PANELS: Panel[] = [
  { key: "nudge", title: { en: "Nudge", zh: "微调" }, component: Nudge },
  { key: "draw", title: { en: "Draw", zh: "画图" }, component: Draw },
  { key: "train", title: { en: "Train", zh: "训练" }, component: Train },
  { key: "compare", title: { en: "Compare", zh: "比较" }, component: Compare },
  { key: "mistakes", title: { en: "Mistakes", zh: "错误" }, component: Mistakes },
  { key: "examples", title: { en: "Examples", zh: "例子" }, component: Examples },
];
