import { beforeEach, describe, expect, it, vi } from "vitest";
import { encode } from "../src/arrays";
import { Exploration } from "../src/exploration.svelte";
import { type Host, Unreachable } from "../src/hosts/host";
import type { Answer, Ask, Failure, Place, Question } from "../src/protocol";

const VALUES = Float64Array.from({ length: 2 * 3 * 3 }, (_, k) => (k === 13 ? -9 : k / 10));
const range = { least: -9, most: 1.7 };
const node = (name: string, column: number, shape: number[], parameters: object[] = []) => ({
  name, layer: "L", text: "L()", about: "about", inputs: column ? ["input"] : [], shape, column, row: 0, parameters, value: range, gradient: range,
});

/** A host with one small network, which counts what it is asked and can be told to fail. */
class Fake implements Host {
  readonly kind = "server";
  asked: Question[] = [];
  state = 1;
  failure: Failure | Error | null = null;
  slow = new Map<string, Promise<void>>();

  async ask<A extends Ask>(question: Question<A>): Promise<Answer<A> | Failure> {
    this.asked.push(question as unknown as Question);
    if (this.failure instanceof Error) throw this.failure;
    if (this.failure) return this.failure;
    return { ok: true, ...(await this.content(question as unknown as Question)), state: this.state } as unknown as Answer<A>;
  }

  private async content(question: Question): Promise<object> {
    switch (question.ask) {
      case "overview":
        return {
          sample: question.sample ?? 0, samples: 3, title: "", network: "n", notes: [], classes: [], probable: true, target: "1",
          loss: { name: "Loss", text: "", value: 0.5, place: { quantity: "value", name: "loss", index: [0] } },
          nodes: [node("input", 0, [2, 3, 3]), node("conv1", 1, [2, 3, 3], [{ name: "conv1.weight", shape: [2, 2, 1, 1], trainable: true, value: range, gradient: range }])],
        };
      case "tour":
        return {
          of: "conv1.weight[0,0,0,0]",
          stops: [
            { pass: "forward", place: { quantity: "value", name: "conv1", index: [0, 0, 1, 1] }, node: "conv1", title: `value ${question.lang}` },
            { pass: "forward", place: { quantity: "value", name: "loss", index: [0] }, node: "loss", title: "loss" },
            { pass: "backward", place: { quantity: "parameter", name: "conv1.weight", index: [0, 0, 0, 0] }, node: "conv1", title: "weight" },
          ],
        };
      case "step":
        await this.slow.get(question.place.name);
        return { step: { place: question.place, title: `${question.place.name} ${question.lang}`, result: 1, engine_value: 1, thoughts: [{}, {}], links: [], symbol: { text: "", mathml: "" } } };
      case "array": {
        const [first, count] = [question.first ?? 0, question.count ?? 2];
        const part = VALUES.slice(first * 9, (first + count) * 9);
        return { array: { shape: [count, 3, 3], data: encode(part), first, ...range } };
      }
      case "sample":
        this.state++;
        return {};
      default:
        return {};
    }
  }
}

let host: Fake;
let exploration: Exploration;
const of = (ask: Ask) => host.asked.filter((question) => question.ask === ask);

beforeEach(async () => {
  host = new Fake();
  exploration = new Exploration(host, false, "en-GB");
  await exploration.start();
});

describe("the exploration", () => {
  it("begins with the first stop of the tour", () => {
    expect(exploration.place).toEqual({ quantity: "value", name: "conv1", index: [0, 0, 1, 1] });
    expect(exploration.tour.on).toBe(true);
    expect(exploration.focus).toBe("conv1");
    expect(exploration.busy).toBe(0);
  });

  it("speaks Chinese where the browser does", () => {
    expect(new Exploration(host, false, "zh-CN").lang).toBe("zh");
  });

  it("asks the same question once, until something changes", async () => {
    await exploration.maps("conv1", "value", 0, 2);
    await exploration.maps("conv1", "value", 0, 2);
    expect(of("array")).toHaveLength(1);
    await exploration.change({ ask: "sample", index: 1 });
    await exploration.maps("conv1", "value", 0, 2);
    expect(of("array")).toHaveLength(2);
    expect(exploration.state).toBe(2);
  });

  it("goes to the largest number of a map", async () => {
    await exploration.selectLargest("conv1", 1);
    expect(exploration.place).toEqual({ quantity: "value", name: "conv1", index: [0, 1, 1, 1] });
    expect(exploration.tour.on).toBe(false);
  });

  it("shows the step asked for last, whichever answer comes first", async () => {
    let answer = () => {};
    host.slow.set("input", new Promise((resolve) => (answer = resolve)));
    const slow = exploration.select({ quantity: "gradient", name: "input", index: [0, 0, 0, 0] });
    await exploration.select({ quantity: "gradient", name: "conv1", index: [0, 0, 0, 0] });
    answer();
    await slow;
    expect(exploration.step?.place.name).toBe("conv1");
    expect(exploration.view).toBe("gradient");
  });

  it("changes the language of everything that stands on the page, at the same place", async () => {
    await exploration.setLanguage("zh");
    expect(exploration.step?.title).toBe("conv1 zh");
    expect(exploration.tour.stops[0]?.title).toBe("value zh");
    expect(exploration.t("play")).toBe("播放");
    expect(exploration.tour.stop).toBe(0);
  });

  it("says in a sentence that nobody answers, and goes on when asked again", async () => {
    host.failure = new Unreachable("gone");
    await exploration.select({ quantity: "gradient", name: "conv1", index: [0, 0, 2, 2] });
    expect(exploration.trouble?.kind).toBe("unreachable");
    expect(exploration.say(exploration.trouble!.text)).toContain("Start it again");
    host.failure = null;
    await exploration.retry();
    expect(exploration.trouble).toBe(null);
    expect(exploration.step?.place.index).toEqual([0, 0, 2, 2]);
  });

  it("shows Python's own sentence for what has no answer", async () => {
    host.failure = { ok: false, error: { kind: "sample", text: { en: "There is no sample 9.", zh: "没有样本 9。" } } };
    expect(await exploration.change({ ask: "sample", index: 9 })).toBe(null);
    expect(exploration.say(exploration.trouble!.text)).toBe("There is no sample 9.");
    expect(exploration.busy).toBe(0);
  });
});

describe("the tour", () => {
  it("goes thought by thought through both passes and ends at the end", async () => {
    const { tour } = exploration;
    const seen: [number, number, Place["quantity"]][] = [];
    for (let k = 0; k < 10; k++) {
      seen.push([tour.stop, tour.thought, exploration.place!.quantity]);
      await tour.next();
    }
    expect(seen.slice(0, 6)).toEqual([[0, 0, "value"], [0, 1, "value"], [1, 0, "value"], [1, 1, "value"], [2, 0, "parameter"], [2, 1, "parameter"]]);
    expect([tour.stop, tour.thought]).toEqual([2, 1]);
    await tour.previous();
    await tour.previous();
    expect([tour.stop, tour.thought]).toEqual([1, 1]);
    expect(tour.forward).toBe(2);
  });

  it("plays by itself, pauses, and stops when the reader looks elsewhere", async () => {
    vi.useFakeTimers();
    const { tour } = exploration;
    tour.play();
    await vi.advanceTimersByTimeAsync(3300);
    expect([tour.stop, tour.thought]).toEqual([0, 1]);
    tour.pause();
    await vi.advanceTimersByTimeAsync(20_000);
    expect([tour.stop, tour.thought]).toEqual([0, 1]);
    tour.play();
    await exploration.select({ quantity: "value", name: "input", index: [0, 0, 0, 0] });
    expect(tour.playing).toBe(false);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(exploration.place?.name).toBe("input");
    await tour.next();
    expect(exploration.place?.name).toBe("conv1");
    vi.useRealTimers();
  });

  it("ends by pausing, and plays from the start when asked again", async () => {
    vi.useFakeTimers();
    const { tour } = exploration;
    await tour.goTo(2, "last");
    tour.play();
    await vi.advanceTimersByTimeAsync(100);
    expect([tour.stop, tour.thought]).toEqual([0, 0]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(tour.playing).toBe(false);
    expect([tour.stop, tour.thought]).toEqual([2, 1]);
    vi.useRealTimers();
  });
});
