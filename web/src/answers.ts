import { type Host, questionKey, Unreachable } from "./hosts/host";
import type { Answer, Ask, Question, Text } from "./protocol";

/** What went wrong, in a sentence in both languages; `kind` "unreachable" means that asking again may help. */
export class Refused extends Error {
  constructor(
    readonly kind: string,
    readonly text: Text,
  ) {
    super(text.en);
  }
}

const MOST = 4000; // answers kept; the oldest goes first

/** Asks a host and remembers what it said, as long as nothing changes there. */
export class Answers {
  state = 0;
  private readonly kept = new Map<string, Promise<unknown>>();

  constructor(
    private readonly host: Host,
    private readonly unreachable: Text,
  ) {}

  /** The answer; a Refused if there is none. */
  ask<A extends Ask>(question: Question<A>): Promise<Answer<A>> {
    const key = questionKey(question);
    const found = this.kept.get(key);
    if (found) return found as Promise<Answer<A>>;
    const asked = this.fresh<A>(question);
    this.kept.set(key, asked);
    asked.catch(() => this.kept.delete(key));
    const oldest = this.kept.size > MOST ? this.kept.keys().next().value : undefined;
    if (oldest !== undefined) this.kept.delete(oldest);
    return asked;
  }

  /** The answer to a question that changes something: never remembered, and nothing older is believed any more. */
  async change<A extends Ask>(question: Question<A>): Promise<Answer<A>> {
    const answer = await this.fresh<A>(question);
    this.kept.clear();
    return answer;
  }

  /** The answer, asked anew each time: it does something outside of the page. */
  once<A extends Ask>(question: Question<A>): Promise<Answer<A>> {
    return this.fresh<A>(question);
  }

  forget(): void {
    this.kept.clear();
  }

  private async fresh<A extends Ask>(question: Question<A>): Promise<Answer<A>> {
    let answer;
    try {
      answer = await this.host.ask<A>(question);
    } catch (cause) {
      if (cause instanceof Unreachable) throw new Refused("unreachable", this.unreachable);
      throw cause;
    }
    if (!answer.ok) throw new Refused(answer.error.kind, answer.error.text);
    if (answer.state !== this.state) {
      this.state = answer.state;
      this.kept.clear();
    }
    return answer;
  }
}
