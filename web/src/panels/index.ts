import type { Component } from "svelte";
import type { Exploration } from "../exploration.svelte";
import type { Text } from "../protocol";

/** A part of the page beside the step. Each stands in a file of its own and speaks with Python through `exploration`. */
export interface Panel {
  key: string;
  title: Text;
  component: Component<{ exploration: Exploration }>;
  /** Whether there is anything to show here; always, where it is missing. */
  available?: (exploration: Exploration) => boolean;
}

export const PANELS: Panel[] = [];
