import type { Exploration } from "../../exploration.svelte";
import type { Place } from "../../protocol";

/** What panels keep while another one is shown. */
class Memory {
  /** Losses of the training since it began: before the first step, and after each. */
  losses = $state.raw<number[]>([]);
  /** Which losses they are: those of a sample or of all. Others begin a new curve. */
  about = "";

  /** Nudges that were kept, the latest last: the numbers as they were. */
  nudged = $state.raw<{ place: Place; value: number; state: number }[]>([]);

  add(about: string, losses: number[]): void {
    this.losses = this.about === about ? [...this.losses.slice(0, -1), ...losses] : losses;
    this.about = about;
  }

  forget(): void {
    this.losses = [];
    this.about = "";
  }
}

const KEPT = new WeakMap<Exploration, Memory>();

export function memory(exploration: Exploration): Memory {
  const found = KEPT.get(exploration) ?? new Memory();
  KEPT.set(exploration, found);
  return found;
}
