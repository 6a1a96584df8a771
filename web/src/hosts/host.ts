import type { Answer, Ask, Failure, Question } from "../protocol";

/** Carries a question to Python and brings its answer. Rejects with Unreachable when nobody answers. */
export interface Host {
  /** "server" and "widget" answer everything, "recorded" what its file holds. */
  readonly kind: "server" | "recorded" | "widget";
  ask<A extends Ask>(question: Question<A>): Promise<Answer<A> | Failure>;
}

/** Nobody answered: the server is gone, or the kernel of the notebook. */
export class Unreachable extends Error {}

/** The same text for the same question, as Python writes it: sorted keys, no spaces, nothing that is null. */
export function questionKey(question: object): string {
  return JSON.stringify(question, (_, value: unknown) => {
    if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
    const entries = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
