import type { Exploration } from "./exploration.svelte";
import { samePlace } from "./places";
import type { Step, Stop } from "./protocol";

const PAUSE = 3200; // milliseconds at a thought at normal speed

/** The two passes as stops, each with thoughts: play, pause, step, drag. */
export class Tour {
  stops = $state.raw<Stop[]>([]);
  stop = $state(0);
  thought = $state(0);
  playing = $state(false);
  /** False while the reader looks at a place of their own. */
  on = $state(false);
  speed = $state(1);
  private told: Step | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly exploration: Exploration) {}

  get current(): Stop | undefined {
    return this.stops[this.stop];
  }

  get forward(): number {
    const found = this.stops.findIndex((stop) => stop.pass === "backward");
    return found < 0 ? this.stops.length : found;
  }

  /** Thoughts of the step that is shown. */
  get thoughts(): number {
    return this.exploration.step?.thoughts.length ?? 0;
  }

  get atEnd(): boolean {
    return this.stop >= this.stops.length - 1 && this.thought >= this.thoughts - 1;
  }

  async load(): Promise<void> {
    const answer = await this.exploration.ask({ ask: "tour", lang: this.exploration.lang, sample: this.exploration.sample });
    this.stops = answer?.stops ?? [];
    this.stop = Math.min(this.stop, Math.max(0, this.stops.length - 1));
  }

  /** The titles in the new language; the position stays. */
  async translate(): Promise<void> {
    const answer = await this.exploration.ask({ ask: "tour", lang: this.exploration.lang, sample: this.exploration.sample });
    if (answer) this.stops = answer.stops;
  }

  /** Goes to a thought of a stop; "last" is the last thought. */
  async goTo(stop: number, thought: number | "last"): Promise<void> {
    const found = this.stops[stop];
    if (!found) return;
    this.on = true;
    this.stop = stop;
    if (!this.told || this.told !== this.exploration.step || !samePlace(this.exploration.place, found.place)) {
      await this.exploration.select(found.place, { keepTour: true });
      this.told = this.exploration.step;
    }
    const last = Math.max(0, this.thoughts - 1);
    this.thought = thought === "last" ? last : Math.min(thought, last);
  }

  async next(): Promise<void> {
    if (!this.on) return this.goTo(this.stop, this.thought);
    if (this.thought < this.thoughts - 1) this.thought++;
    else if (this.stop < this.stops.length - 1) await this.goTo(this.stop + 1, 0);
    else this.pause();
  }

  async previous(): Promise<void> {
    if (!this.on) return this.goTo(this.stop, this.thought);
    if (this.thought > 0) this.thought--;
    else if (this.stop > 0) await this.goTo(this.stop - 1, "last");
  }

  play(): void {
    if (this.playing) return;
    this.playing = true;
    const begin = this.on && this.atEnd ? this.goTo(0, 0) : this.goTo(this.stop, this.thought);
    void begin.then(() => this.wait());
  }

  pause(): void {
    this.playing = false;
    clearTimeout(this.timer);
  }

  toggle(): void {
    if (this.playing) this.pause();
    else this.play();
  }

  /** The same stop once more: its numbers have changed. */
  async renew(): Promise<void> {
    this.told = null;
    await this.goTo(this.stop, this.thought);
  }

  /** Back to the start: the network is another one. */
  rewind(): void {
    this.pause();
    this.on = true;
    this.stop = 0;
    this.thought = 0;
  }

  /** The reader looks elsewhere. */
  leave(): void {
    this.pause();
    this.on = false;
  }

  private wait(): void {
    clearTimeout(this.timer);
    if (!this.playing) return;
    this.timer = setTimeout(() => void this.next().then(() => (this.playing ? this.wait() : undefined)), PAUSE / this.speed);
  }
}
