import type { Answer, Ask, Failure, Question } from "../protocol";
import { type Host, Unreachable } from "./host";

/** What anywidget hands to `render`, as far as it is used here. */
export interface AnyModel {
  send(content: unknown): void;
  on(event: "msg:custom", callback: (content: { id?: string; answer?: unknown }) => void): void;
  off(event: "msg:custom", callback: (content: { id?: string; answer?: unknown }) => void): void;
}

const PATIENCE = 30_000; // milliseconds; a kernel may be busy with a cell

/** Asks the kernel of the notebook by custom messages. */
export class WidgetHost implements Host {
  readonly kind = "widget";
  private readonly waiting = new Map<string, (answer: unknown) => void>();
  private readonly own = Math.random().toString(36).slice(2); // several views may share one model
  private count = 0;

  constructor(private readonly model: AnyModel) {
    model.on("msg:custom", this.receive);
  }

  ask<A extends Ask>(question: Question<A>): Promise<Answer<A> | Failure> {
    const id = `${this.own}-${this.count++}`;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.waiting.delete(id);
        reject(new Unreachable("the kernel did not answer"));
      }, PATIENCE);
      this.waiting.set(id, (answer) => {
        clearTimeout(late);
        resolve(answer as Answer<A> | Failure);
      });
      this.model.send({ id, question });
    });
  }

  close(): void {
    this.model.off("msg:custom", this.receive);
  }

  private readonly receive = ({ id, answer }: { id?: string; answer?: unknown }): void => {
    if (id === undefined) return;
    this.waiting.get(id)?.(answer);
    this.waiting.delete(id);
  };
}
