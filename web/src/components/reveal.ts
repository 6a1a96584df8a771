const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Brings a thought into sight: within its panel where that scrolls, else on the page, if the page is ours to move. */
export function reveal(element: HTMLElement, thought: number, ours: boolean): void {
  const panel = element.closest<HTMLElement>(".panel");
  const behavior = calm() ? "auto" : "smooth";
  if (panel && getComputedStyle(panel).overflowY === "auto") {
    if (thought === 0) return panel.scrollTo({ top: 0 });
    const [inner, outer] = [element.getBoundingClientRect(), panel.getBoundingClientRect()];
    const room = Math.max(0, (outer.height - inner.height) / 2);
    if (inner.bottom > outer.bottom - 40 || inner.top < outer.top) panel.scrollBy({ top: inner.top - outer.top - Math.min(room, 60), behavior });
  } else if (ours && thought > 0) element.scrollIntoView({ block: "nearest", behavior });
}
