import { describe, expect, it } from "vitest";
import { addressText, readAddress } from "../src/address";
import { colour, limitOf } from "../src/colours";
import { fetchMaps } from "../src/fetching";
import { encode } from "../src/arrays";
import { placeCode, placeFromCode, placeText } from "../src/places";
import type { Place, Question } from "../src/protocol";

describe("places", () => {
  const places: Place[] = [
    { quantity: "value", name: "conv1", index: [0, 2, 3, 4] },
    { quantity: "gradient", name: "loss", index: [7] },
    { quantity: "parameter", name: "block.conv1.weight", index: [1, 0, 2, 2] },
  ];

  it("are named as explain names them", () => {
    expect(places.map(placeText)).toEqual(["conv1[2,3,4]", "loss", "block.conv1.weight[1,0,2,2]"]);
  });

  it.each(places)("come back from the address: $name", (place) => {
    expect(placeFromCode(placeCode(place))).toEqual(place);
    const address = { lang: "zh", view: "gradient", panel: "train", place } as const;
    expect(readAddress(addressText(address))).toEqual(address);
  });

  it("believes nothing that is no place", () => {
    for (const code of ["", "v:", "x:conv1[0]", "v:conv1", "v:conv1[a]", "v:[0]"]) expect(placeFromCode(code)).toBe(null);
    expect(readAddress("#lang=fr&view=all&of=?")).toEqual({ lang: undefined, view: undefined, panel: undefined, place: undefined });
  });
});

describe("colours", () => {
  const parts = (css: string) => (css.match(/\d+/g) ?? []).map(Number) as [number, number, number];
  const luminance = (css: string) => {
    const [r, g, b] = parts(css).map((c) => (c <= 10 ? c / 3294 : ((c / 255 + 0.055) / 1.055) ** 2.4)) as [number, number, number];
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };

  it.each(["light", "dark"] as const)("move away from zero's colour to both sides, blue and orange: %s", (shade) => {
    const scale = (value: number) => colour(value, 2, shade).css;
    const away = (value: number) => Math.abs(luminance(scale(value)) - luminance(scale(0)));
    for (const sign of [-1, 1]) expect(away(sign * 2)).toBeGreaterThan(away(sign * 1));
    const [red, , blue] = parts(scale(1.2));
    const [red2, , blue2] = parts(scale(-1.2));
    expect(red).toBeGreaterThan(blue);
    expect(blue2).toBeGreaterThan(red2);
    expect(scale(5)).toBe(scale(2));
    expect(colour(0, 0, shade).css).toBe(scale(0));
  });

  it.each(["light", "dark"] as const)("let the numbers on them be read: %s", (shade) => {
    for (let value = -1; value <= 1; value += 1 / 64) {
      const { css, lightText } = colour(value, 1, shade);
      const contrast = lightText ? 1.05 / (luminance(css) + 0.05) : (luminance(css) + 0.05) / 0.05;
      expect(contrast).toBeGreaterThan(4.5);
    }
  });

  it("have zero in the middle", () => expect(limitOf({ least: -3, most: 1 })).toBe(3));
});

describe("maps", () => {
  /** Answers with numbers that say where they stand in the tensor. */
  function python(shape: number[], asked: Question<"array">[]) {
    return async (question: Question<"array">) => {
      asked.push(question);
      const tail = shape.slice(1).reduce((a, b) => a * b, 1);
      const found: number[] = [];
      const [first, count] = [question.first ?? 0, question.count ?? shape[0]!];
      for (let item = first; item < first + count; item++) {
        for (let k = 0; k < tail; k++) {
          const column = k % shape.at(-1)!;
          const row = Math.floor(k / shape.at(-1)!) % (shape.at(-2) ?? 1);
          if (question.rows && (row < question.rows[0] || row >= question.rows[1])) continue;
          if (question.columns && (column < question.columns[0] || column >= question.columns[1])) continue;
          found.push(item * tail + k);
        }
      }
      expect(found.length).toBeLessThanOrEqual(65_536);
      return { ok: true as const, state: 0, size: shape[0]!, scale: { least: 0, most: 0 }, array: { shape: [], data: encode(Float64Array.from(found)), first, least: 0, most: 0 } };
    };
  }

  it.each([
    { shape: [6, 28, 28], first: 2, count: 3, questions: 1 },
    { shape: [1000, 16, 16], first: 500, count: 400, questions: 2 },
    { shape: [3, 300, 300], first: 1, count: 1, questions: 2 },
    { shape: [100_000], first: 0, count: 1, questions: 2 },
    { shape: [10, 90_000], first: 4, count: 1, questions: 2 },
    { shape: [16, 6, 5, 5], first: 13, count: 1, questions: 1 },
  ])("come whole, however large: $shape", async ({ shape, first, count, questions }) => {
    const asked: Question<"array">[] = [];
    const maps = await fetchMaps(python(shape, asked), { name: "n", quantity: "value", sample: 0, shape, first, count });
    expect(asked).toHaveLength(questions);
    expect(maps!.first).toBeLessThanOrEqual(first);
    expect(maps!.first + maps!.count).toBeGreaterThanOrEqual(first + count);
    const start = maps!.first * maps!.size;
    expect(maps!.data.every((value, k) => value === start + k)).toBe(true);
  });
});
