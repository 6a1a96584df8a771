import { describe, expect, it } from "vitest";
import { questionKey } from "../src/hosts/host";

describe("the key of a question", () => {
  it("sorts members at every depth and leaves out what is null", () => {
    const question = { sample: 0, ask: "step", place: { quantity: "value", name: "relu1", index: [0, 1] }, of: undefined, first: null };
    expect(questionKey(question)).toBe('{"ask":"step","place":{"index":[0,1],"name":"relu1","quantity":"value"},"sample":0}');
  });

  it("keeps Chinese as it is", () => {
    expect(questionKey({ ask: "example", name: "卷积" })).toBe('{"ask":"example","name":"卷积"}');
  });
});
