// Numbers as `chainrule.explain` prints them. A table that Python writes (tests/numbers.json) proves it.

const UP: Record<string, string> = { "-": "⁻", "0": "⁰", "1": "¹", "2": "²", "3": "³", "4": "⁴", "5": "⁵", "6": "⁶", "7": "⁷", "8": "⁸", "9": "⁹" };

/** (negative, digits, power of ten or null), as explain.writing.number_parts: %.6g, whole numbers below 10⁹ in full. */
export function numberParts(value: number, digits = 6): [boolean, string, number | null] {
  const negative = value < 0;
  if (Number.isNaN(value)) return [false, "nan", null];
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return [negative, "∞", null];
  const [mantissa, exponent] = rounded(size, digits);
  if (exponent >= -4 && exponent < digits) return [negative, trimmed(shifted(mantissa, exponent)), null];
  if (Number.isInteger(value) && size < 1e9) return [negative, String(size), null];
  return [negative, trimmed(mantissa), exponent];
}

const EXACT = 100; // digits after the point: all of them, wherever a tie is possible

/** Mantissa and exponent in `digits` significant digits; ties go to the even digit, as in Python, where JavaScript rounds up. */
function rounded(size: number, digits: number): [string, number] {
  const split = (text: string): [string, number] => [text.split("e")[0]!, Number(text.split("e")[1])];
  const [exact, power] = split(size.toExponential(EXACT));
  const kept = digits === 1 ? exact[0]! : exact.slice(0, digits + 1);
  const rest = exact.slice(2 + digits - 1);
  const tie = rest.startsWith("5") && !/[1-9]/.test(rest.slice(1));
  return tie && Number(kept.at(-1)) % 2 === 0 ? [kept, power] : split(size.toExponential(digits - 1));
}

/** 1.25 and 2 give 125; 1.25 and -2 give 0.0125: the point moves, no digit is lost. */
function shifted(mantissa: string, exponent: number): string {
  const letters = mantissa.replace(".", "");
  if (exponent < 0) return `0.${"0".repeat(-exponent - 1)}${letters}`;
  const whole = letters.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  return letters.length > exponent + 1 ? `${whole}.${letters.slice(exponent + 1)}` : whole;
}

function trimmed(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** A number in the running text: 0.25, −3, 1.5·10⁻⁷. */
export function number(value: number, digits = 6): string {
  const [negative, text, power] = numberParts(value, digits);
  const raised = power === null ? "" : `·10${[...String(power)].map((letter) => UP[letter]).join("")}`;
  return (negative ? "−" : "") + text + raised;
}

/** A number for a narrow cell: 1.5e-7 with few digits, as explain's `short`. */
export function short(value: number | null, digits = 4): string {
  if (value === null) return "";
  const [negative, text, power] = numberParts(value, digits);
  return (negative ? "−" : "") + text + (power === null ? "" : `e${power}`);
}
