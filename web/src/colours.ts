import { scaleLinear } from "d3-scale";

export type Shade = "light" | "dark";

/** From the most negative over zero to the most positive. Blue and orange differ for all common kinds of colour blindness,
 * and both move away from the neutral colour in lightness, so that size can be seen without any hue. */
const STOPS: Record<Shade, string[]> = {
  light: ["#08306b", "#2171b5", "#6baed6", "#f4f3ef", "#fdae6b", "#e6550d", "#7f2704"],
  dark: ["#d6ebff", "#74b8f5", "#2c6aa8", "#23262d", "#a8591b", "#f59b4c", "#ffe9d2"],
};
const STEPS = 255;

function table(shade: Shade): Uint32Array {
  const stops = STOPS[shade];
  const scale = scaleLinear<string>()
    .domain(stops.map((_, k) => (2 * k) / (stops.length - 1) - 1))
    .range(stops);
  const found = new Uint32Array(2 * STEPS + 1);
  for (let k = -STEPS; k <= STEPS; k++) {
    const [red, green, blue] = (scale(k / STEPS).match(/\d+/g) ?? []).map(Number) as [number, number, number];
    found[k + STEPS] = (255 << 24) | (blue << 16) | (green << 8) | red;
  }
  return found;
}

const TABLES: Partial<Record<Shade, Uint32Array>> = {};

const tableOf = (shade: Shade): Uint32Array => (TABLES[shade] ??= table(shade));

/** The position of a value in the table: the scale is the same to both sides of zero. */
function position(value: number, limit: number): number {
  if (!limit) return STEPS;
  return Math.round(Math.max(-1, Math.min(1, value / limit)) * STEPS) + STEPS;
}

/** The largest size within a range; zero is its middle. */
export function limitOf(range: { least: number; most: number }): number {
  return Math.max(Math.abs(range.least), Math.abs(range.most));
}

/** A map as pixels. */
export function pixels(data: Float64Array, rows: number, columns: number, limit: number, shade: Shade): ImageData {
  const image = new ImageData(columns, rows);
  const target = new Uint32Array(image.data.buffer);
  const colours = tableOf(shade);
  for (let k = 0; k < data.length; k++) target[k] = Number.isNaN(data[k]) ? 0 : colours[position(data[k]!, limit)]!; // no cell: no colour
  return image;
}

/** The colour of one value, as CSS writes it, and whether text on it must be light. */
export function colour(value: number, limit: number, shade: Shade): { css: string; lightText: boolean } {
  const packed = tableOf(shade)[position(value, limit)]!;
  const [red, green, blue] = [packed & 255, (packed >> 8) & 255, (packed >> 16) & 255] as const;
  const channel = (c: number) => (c <= 10 ? c / 3294 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = 0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue);
  return { css: `rgb(${red} ${green} ${blue})`, lightText: luminance < 0.179 };
}

/** The scale as a CSS gradient, for the legend. */
export function gradient(shade: Shade): string {
  return `linear-gradient(to right, ${STOPS[shade].join(", ")})`;
}
