import { untrack } from "svelte";
import { Answers, Refused } from "./answers";
import { type Address, readAddress, writeAddress } from "./address";
import { toMaps, type Maps } from "./arrays";
import type { Host } from "./hosts/host";
import { TEXTS, translate, type Key } from "./i18n";
import { samePlace } from "./places";
import type { Answer, Ask, Change, Lang, NodeOverview, OverviewAnswer, Place, Question, Step, Text, View } from "./protocol";
import { Tour } from "./tour.svelte";

export type Theme = "auto" | "light" | "dark";

/** The only store of the page: what is looked at, and the questions to Python. It knows nothing of the page's elements. */
export class Exploration {
  lang = $state<Lang>("en");
  theme = $state<Theme>("auto");
  view = $state<View>("value");
  panel = $state("step");
  overview = $state.raw<OverviewAnswer | null>(null);
  place = $state.raw<Place | null>(null);
  step = $state.raw<Step | null>(null);
  /** The node whose maps are shown large. */
  focus = $state<string>("input");
  /** Places that light up, because the reader points at a term. */
  lit = $state.raw<Place[]>([]);
  trouble = $state.raw<Refused | null>(null);
  /** Grows with every change in Python; what was drawn before is drawn anew. */
  state = $state(0);
  busy = $state(0);
  readonly tour: Tour;
  private readonly answers: Answers;
  private asked = 0;

  constructor(
    readonly host: Host,
    readonly addressed: boolean,
    language: string,
  ) {
    this.lang = language.startsWith("zh") ? "zh" : "en";
    this.answers = new Answers(host, { en: TEXTS.en.unreachable, zh: TEXTS.zh.unreachable });
    this.tour = new Tour(this);
  }

  /** A text of the page in the reader's language. */
  t = (key: Key, values: Record<string, string | number> = {}): string => translate(this.lang, key, values);

  /** A text that Python sent in both languages. */
  say = (text: Text): string => text[this.lang];

  get node(): NodeOverview | undefined {
    return this.nodeOf(this.focus);
  }

  nodeOf(name: string): NodeOverview | undefined {
    return this.overview?.nodes.find((node) => node.name === name);
  }

  /** The node that a place belongs to; a parameter belongs to the (first) node of its layer. */
  nodeOfPlace(place: Place): NodeOverview | undefined {
    if (place.quantity !== "parameter") return this.nodeOf(place.name);
    return this.overview?.nodes.find((node) => node.parameters.some((parameter) => parameter.name === place.name));
  }

  async start(): Promise<void> {
    const address = this.addressed ? readAddress(location.hash) : {};
    if (address.lang) this.lang = address.lang;
    if (address.view) this.view = address.view;
    if (address.panel) this.panel = address.panel;
    await this.reload(address);
  }

  /** Everything anew: the overview, the tour, the step. */
  async reload(address: Address = { place: this.place ?? undefined }): Promise<void> {
    const overview = await this.ask({ ask: "overview", lang: this.lang });
    if (!overview) return;
    this.trouble = null;
    this.overview = overview;
    if (!this.nodeOf(this.focus)) this.focus = overview.nodes[0]!.name;
    await this.tour.load();
    const place = address.place && this.nodeOfPlace(address.place) ? this.ofSample(address.place) : null;
    if (place) await this.select(place);
    else await this.tour.goTo(0, 0);
  }

  /** Asks Python; a question that cannot be answered becomes the page's note, and null comes back. */
  async ask<A extends Ask>(question: Question<A>): Promise<Answer<A> | null> {
    return this.told(() => this.answers.ask<A>(question));
  }

  /** Asks for a change (another sample, weights, pixels, training) and shows what became of everything. */
  async change<A extends Change>(question: Question<A>): Promise<Answer<A> | null> {
    const answer = await this.told(() => this.answers.change<A>(question));
    if (answer) await this.reload();
    return answer;
  }

  /** Asks without a note of the page: the caller shows the Refused itself. */
  askOrThrow<A extends Ask>(question: Question<A>): Promise<Answer<A>> {
    return this.answers.ask<A>(question);
  }

  /** Shows the step of a place. */
  async select(place: Place, options: { keepTour?: boolean } = {}): Promise<void> {
    if (!options.keepTour) this.tour.leave();
    this.place = place;
    this.lit = [];
    if (place.quantity !== "parameter") this.view = place.quantity;
    const node = this.nodeOfPlace(place);
    if (node) this.focus = node.name;
    const mine = ++this.asked;
    const answer = await this.ask({ ask: "step", place, lang: this.lang });
    if (mine !== this.asked) return; // the reader has gone on
    this.step = answer?.step ?? (samePlace(this.step?.place ?? null, place) ? this.step : null);
    this.remember();
  }

  /** `count` maps of a node or parameter, from `first`. */
  async maps(name: string, quantity: View, first: number, count: number): Promise<Maps | null> {
    if (!this.overview) return null;
    const answer = await this.ask({ ask: "array", name, quantity, sample: this.overview.sample, first, count });
    return answer && toMaps(answer.array);
  }

  async setLanguage(lang: Lang): Promise<void> {
    this.lang = lang;
    this.remember();
    const overview = await this.ask({ ask: "overview", lang });
    if (overview) this.overview = overview;
    await this.tour.translate();
    if (this.place) {
      const answer = await this.ask({ ask: "step", place: this.place, lang });
      if (answer) this.step = answer.step;
    }
  }

  setView(view: View): void {
    this.view = view;
    this.remember();
  }

  show(panel: string): void {
    this.panel = panel;
    this.remember();
  }

  remember(): void {
    if (!this.addressed) return;
    writeAddress({ lang: this.lang, view: this.view, panel: this.panel, place: this.place ?? undefined });
  }

  private ofSample(place: Place): Place {
    if (place.quantity === "parameter" || !this.overview) return place;
    return { ...place, index: [this.overview.sample, ...place.index.slice(1)] };
  }

  private async told<T>(ask: () => Promise<T>): Promise<T | null> {
    untrack(() => this.busy++); // an effect that asks must not run again because it asked
    try {
      const answer = await ask();
      if (this.answers.state !== this.state) this.state = this.answers.state;
      return answer;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.trouble = error;
      return null;
    } finally {
      this.busy--;
    }
  }
}

