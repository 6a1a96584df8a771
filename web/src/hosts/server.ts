import type { Answer, Ask, Failure, Question } from "../protocol";
import { type Host, Unreachable } from "./host";

const SESSION = "chainrule-session";

async function post(path: string, body: object): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  } catch (cause) {
    throw new Unreachable("no answer", { cause });
  }
  try {
    return await response.json();
  } catch (cause) {
    throw new Unreachable(`status ${response.status}`, { cause });
  }
}

/** Asks the server that this page came from. Each tab has a session of its own, which a reload keeps. */
export class ServerHost implements Host {
  readonly kind = "server";
  private session: string | null = sessionStorage.getItem(SESSION);
  private beginning: Promise<string | Failure> | null = null;

  async ask<A extends Ask>(question: Question<A>): Promise<Answer<A> | Failure> {
    const session = this.session ?? (await (this.beginning ??= this.begin()));
    if (typeof session !== "string") return session;
    return (await post(`api/${encodeURIComponent(session)}`, question)) as Answer<A> | Failure;
  }

  /** Forgets the session, so that the next question begins a new one. */
  static forget(): void {
    sessionStorage.removeItem(SESSION);
  }

  private async begin(): Promise<string | Failure> {
    try {
      const answer = (await post("api/new", {})) as { ok: true; session: string } | Failure;
      if (!answer.ok) return answer;
      sessionStorage.setItem(SESSION, answer.session);
      this.session = answer.session;
      return answer.session;
    } finally {
      this.beginning = null;
    }
  }
}
