import type { Lang } from "../protocol";
import * as panels from "../panels/texts";
import { en } from "./en";
import { zh } from "./zh";

export const TEXTS = { en: { ...en, ...panels.en }, zh: { ...zh, ...panels.zh } };
export type Key = keyof typeof TEXTS.en;

/** A text with its {names} replaced. */
export function translate(lang: Lang, key: Key, values: Record<string, string | number> = {}): string {
  return TEXTS[lang][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
