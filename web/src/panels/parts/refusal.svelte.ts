import { Refused } from "../../answers";
import type { Text } from "../../protocol";

/** A sentence that a panel shows in its own place when Python refuses. */
export class Trouble {
  text = $state.raw<Text | null>(null);

  /** What `ask` brings; null, with the sentence kept, where it is refused. */
  async told<T>(ask: () => Promise<T>): Promise<T | null> {
    try {
      const answer = await ask();
      this.text = null;
      return answer;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.text = error.text;
      return null;
    }
  }
}
