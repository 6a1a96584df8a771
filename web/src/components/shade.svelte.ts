import { MediaQuery } from "svelte/reactivity";
import type { Shade } from "../colours";
import type { Exploration } from "../exploration.svelte";

const dark = new MediaQuery("(prefers-color-scheme: dark)");

/** Light or dark, as the reader chose or the system says. */
export function shadeOf(exploration: Exploration): Shade {
  if (exploration.theme !== "auto") return exploration.theme;
  return dark.current ? "dark" : "light";
}
