import { untrack } from "svelte";
import { Answers, Refused } from "./answers";
import { type Address, readAddress, writeAddress } from "./address";
import { largest, mapOf, type Maps } from "./arrays";
import { fetchMaps } from "./fetching";
import type { Host } from "./hosts/host";
import { TEXTS, translate, type Key } from "./i18n";
import type { Answer, Ask, Change, Lang, NodeOverview, OverviewAnswer, ParameterOverview, Place, Question, Step, Text, View } from "./protocol";
import { indexOf, layoutOf, mapIndex } from "./tensors";
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
  /** How `place` was made. */
  step = $state.raw<Step | null>(null);
  /** The node that is looked at. */
  focus = $state<string>("input");
  /** Places that light up, because the reader points at a term. */
  lit = $state.raw<Place[]>([]);
  trouble = $state.raw<Refused | null>(null);
  /** Grows with every change in Python; what was drawn before is drawn anew. */
  state = $state(0);
  /** Questions under way. */
  busy = $state(0);
  /** Whether single letters are commands. */
  letters = $state(true);
  readonly tour: Tour;
  private readonly answers: Answers;
  private asked = 0;

  constructor(
    readonly host: Host,
    /** Whether the page's address belongs to this exploration, as it does not in a notebook. */
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

  get sample(): number {
    return this.overview?.sample ?? 0;
  }

  get node(): NodeOverview | undefined {
    return this.nodeOf(this.focus);
  }

  nodeOf(name: string): NodeOverview | undefined {
    return this.overview?.nodes.find((node) => node.name === name);
  }

  parameterOf(name: string): ParameterOverview | undefined {
    for (const node of this.overview?.nodes ?? []) {
      const found = node.parameters.find((parameter) => parameter.name === name);
      if (found) return found;
    }
    return undefined;
  }

  /** The shape of a node (without samples) or parameter. */
  shapeOf(name: string): number[] | undefined {
    return this.parameterOf(name)?.shape ?? this.nodeOf(name)?.shape;
  }

  /** The node that a place belongs to; a parameter belongs to the (first) node of its layer. */
  nodeOfPlace(place: Place): NodeOverview | undefined {
    if (place.quantity !== "parameter") return this.nodeOf(place.name);
    return this.overview?.nodes.find((node) => node.parameters.some((parameter) => parameter.name === place.name));
  }

  /** Whether a place is the loss itself, which is no node. */
  isLoss(place: Place | null): boolean {
    return !!place && place.name === this.overview?.loss.place.name && !this.nodeOf(place.name);
  }

  async start(): Promise<void> {
    const address = this.addressed ? readAddress(location.hash) : {};
    if (address.lang) this.lang = address.lang;
    if (address.panel) this.panel = address.panel;
    await this.reload(address);
  }

  /** Everything anew: the overview, the tour, the step. `renewed`: Python chooses the sample. */
  async reload(address: Address = this.again(), renewed = false): Promise<void> {
    const sample = this.overview && !renewed ? { sample: this.sample } : {};
    const asked = this.asked;
    const overview = await this.ask({ ask: "overview", lang: this.lang, ...sample });
    if (!overview) return;
    this.trouble = null;
    this.overview = overview;
    if (!this.nodeOf(this.focus)) this.focus = overview.nodes[0]!.name;
    await this.tour.load();
    if (asked !== this.asked) return; // the reader has chosen a place meanwhile, which stays
    const place = address.place && this.knows(address.place) ? this.ofSample(address.place) : null;
    if (place) await this.select(place);
    else await this.tour.renew();
    if (address.view) this.view = address.view;
  }

  /** Asks Python; a question that cannot be answered becomes the page's note, and null comes back. */
  async ask<A extends Ask>(question: Question<A>): Promise<Answer<A> | null> {
    return this.told(() => this.answers.ask<A>(question));
  }

  /** Asks for a change (another sample, weights, pixels, training) and shows what became of everything. */
  async change<A extends Change>(question: Question<A>): Promise<Answer<A> | null> {
    return this.told(() => this.changeOrThrow<A>(question));
  }

  /** Has the server write the network as it is now. */
  async save(): Promise<Answer<"save"> | null> {
    return this.told(() => this.answers.once<"save">({ ask: "save" }));
  }

  /** Asks without a note of the page: the caller shows the Refused itself. */
  askOrThrow<A extends Ask>(question: Question<A>): Promise<Answer<A>> {
    return this.counted(() => this.answers.ask<A>(question));
  }

  /** A change without a note of the page. */
  async changeOrThrow<A extends Change>(question: Question<A>): Promise<Answer<A>> {
    const answer = await this.counted(() => this.answers.change<A>(question));
    if (question.ask === "example") this.tour.rewind();
    await this.reload(this.again(), ["sample", "draw", "example"].includes(question.ask));
    return answer;
  }

  /** Shows the step of a place. */
  async select(place: Place, options: { keepTour?: boolean } = {}): Promise<void> {
    if (!options.keepTour) this.tour.leave();
    this.place = place;
    this.lit = [];
    if (!this.isLoss(place)) this.view = place.quantity === "value" ? "value" : "gradient";
    const node = this.nodeOfPlace(place);
    if (node) this.focus = node.name;
    const mine = ++this.asked;
    const answer = await this.ask({ ask: "step", place, lang: this.lang });
    if (mine !== this.asked) return; // the reader has gone on
    this.step = answer?.step ?? null;
    this.remember();
  }

  /** Shows the most telling number of one map of a node or parameter: the largest. */
  async selectLargest(name: string, map: number | null, quantity: View = this.view): Promise<void> {
    const parameter = this.parameterOf(name);
    const shape = this.shapeOf(name);
    if (!shape) return;
    const layout = layoutOf(shape);
    const maps = await this.maps(name, parameter ? "gradient" : quantity, map ?? 0, map === null ? Math.min(layout.maps, 6) : 1);
    if (!maps) return;
    const numbers = map === null ? maps.data : mapOf(maps, map);
    const best = largest(numbers);
    const found = (map ?? maps.first) + (map === null ? Math.floor(best / layout.size) : 0);
    const position = best % layout.size;
    const index = layout.folded
      ? [...mapIndex(layout, found), position]
      : indexOf(layout, { map: found, row: Math.floor(position / layout.columns), column: position % layout.columns });
    await this.select(this.placeAt(name, quantity, index));
  }

  /** The place of an index without its sample. */
  placeAt(name: string, quantity: View, index: number[]): Place {
    if (this.parameterOf(name)) return { quantity: "parameter", name, index };
    return { quantity, name, index: [this.sample, ...index] };
  }

  /** `count` maps of a node or parameter, from map number `first`. */
  async maps(name: string, quantity: View, first: number, count: number): Promise<Maps | null> {
    const shape = this.shapeOf(name);
    if (!shape) return null;
    return fetchMaps((question) => this.ask(question), { name, quantity, sample: this.sample, shape, first, count });
  }

  async setLanguage(lang: Lang): Promise<void> {
    this.lang = lang;
    this.remember();
    if (!this.overview) return;
    const overview = await this.ask({ ask: "overview", lang, sample: this.sample });
    if (overview) this.overview = overview;
    await this.tour.translate();
    if (!this.place || !this.step) return;
    const mine = ++this.asked;
    const answer = await this.ask({ ask: "step", place: this.place, lang });
    if (answer && mine === this.asked) this.step = answer.step;
  }

  /** After a lost connection: all of it once more. */
  async retry(): Promise<void> {
    this.answers.forget();
    await this.reload();
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

  private knows(place: Place): boolean {
    return !!this.nodeOfPlace(place) || place.name === this.overview?.loss.place.name;
  }

  /** The same place again, if it is still there, after the sample or the network has changed. */
  private again(): Address {
    return { place: this.tour.on ? undefined : (this.place ?? undefined), view: this.view };
  }

  private ofSample(place: Place): Place {
    return place.quantity === "parameter" ? place : { ...place, index: [this.sample, ...place.index.slice(1)] };
  }

  private async told<T>(ask: () => Promise<T>): Promise<T | null> {
    try {
      return await this.counted(ask);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.trouble = error;
      return null;
    }
  }

  /** A question under way is known to all: the page is busy, and what was drawn before a change is drawn anew. */
  private async counted<T>(ask: () => Promise<T>): Promise<T> {
    untrack(() => this.busy++); // an effect that asks must not wait for its own question
    try {
      const answer = await ask();
      if (this.answers.state !== this.state) this.state = this.answers.state;
      return answer;
    } finally {
      untrack(() => this.busy--);
    }
  }
}
