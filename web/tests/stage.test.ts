import { expect, it } from "vitest";
import { type Actor, signsOf } from "../src/stage";

const row = (...roles: Actor["role"][]) => signsOf(roles.map((role) => ({ role }) as Actor)).join("");

it("reads as the formula does", () => {
  expect(row("input", "weight", "weight", "this")).toBe("×+→"); // x · w + b = y
  expect(row("this", "weight", "upstream")).toBe("←×"); // dx = w · dy
  expect(row("this", "weight", "upstream", "weight", "upstream")).toBe("←×+×"); // through two consumers
  expect(row("input", "this", "upstream")).toBe("→←"); // dw = x · dy
  expect(row("input", "input", "this")).toBe("+→"); // branches are added
  expect(row("this", "input", "upstream")).toBe("←×"); // dx = f'(x) · dy
});
