import type { Answer, Ask, Failure, Question, Text } from "../protocol";
import { type Host, questionKey } from "./host";

export interface Recording {
  format: "chainrule.recording";
  version: 1;
  encoding: "deflate+base64";
  data: string;
  /** The sentence for a question that was not recorded. */
  missing: Text;
}

async function inflate(base64: string): Promise<Record<string, unknown>> {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return (await new Response(stream).json()) as Record<string, unknown>;
}

/** Answers from the recording that a static file carries. */
export class RecordedHost implements Host {
  readonly kind = "recorded";
  private readonly answers: Promise<Record<string, unknown>>;

  constructor(private readonly recording: Recording) {
    this.answers = inflate(recording.data);
  }

  async ask<A extends Ask>(question: Question<A>): Promise<Answer<A> | Failure> {
    const found = (await this.answers)[questionKey(question)];
    if (found !== undefined) return found as Answer<A> | Failure;
    return { ok: false, error: { kind: "not_recorded", text: this.recording.missing } };
  }
}
