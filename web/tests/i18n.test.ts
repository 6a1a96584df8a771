import { expect, it } from "vitest";
import { TEXTS, translate } from "../src/i18n";

const names = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();

it("has every text in both languages, with the same names to be replaced", () => {
  expect(Object.keys(TEXTS.zh).sort()).toEqual(Object.keys(TEXTS.en).sort());
  for (const [key, text] of Object.entries(TEXTS.en)) {
    expect(text.trim(), key).not.toBe("");
    expect(names(TEXTS.zh[key as keyof typeof TEXTS.zh]), key).toEqual(names(text));
  }
});

it("writes Chinese with Chinese punctuation", () => {
  for (const [key, text] of Object.entries(TEXTS.zh)) expect(text, key).not.toMatch(/[\u4e00-\u9fff][,:;!?]|\.\.\./);
});

it("replaces names", () => {
  expect(translate("en", "thought_of", { thought: 3, thoughts: 8 })).toBe("thought 3 of 8");
});
