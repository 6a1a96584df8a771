import { placeCode, placeFromCode } from "./places";
import type { Lang, Place, View } from "./protocol";

/** What the address keeps, so that a link shows the same. */
export interface Address {
  lang?: Lang;
  view?: View;
  panel?: string;
  place?: Place;
}

export function readAddress(hash: string): Address {
  const found = new URLSearchParams(hash.replace(/^#/, ""));
  const lang = found.get("lang");
  const view = found.get("view");
  return {
    lang: lang === "en" || lang === "zh" ? lang : undefined,
    view: view === "value" || view === "gradient" ? view : undefined,
    panel: found.get("panel") ?? undefined,
    place: placeFromCode(found.get("of") ?? "") ?? undefined,
  };
}

export function addressText(address: Address): string {
  const parts = [`lang=${address.lang ?? "en"}`, `view=${address.view ?? "value"}`, `panel=${address.panel ?? "step"}`];
  if (address.place) parts.push(`of=${placeCode(address.place)}`);
  return `#${parts.join("&")}`;
}

/** Without an entry in the browser's history for each click. */
export function writeAddress(address: Address): void {
  history.replaceState(null, "", addressText(address));
}
