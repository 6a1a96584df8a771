/** Whatever is wider than its room can be reached by Tab, so that arrow keys scroll it; what fits is no stop on the way. */
export function scrollable(element: HTMLElement): { destroy(): void } {
  const look = () => {
    if (element.scrollWidth > element.clientWidth + 1) element.tabIndex = 0;
    else element.removeAttribute("tabindex");
  };
  const sizes = new ResizeObserver(look);
  const watch = () => {
    sizes.disconnect();
    sizes.observe(element);
    for (const child of element.children) sizes.observe(child);
  };
  const contents = new MutationObserver(() => (watch(), look()));
  contents.observe(element, { childList: true, subtree: true });
  watch();
  return { destroy: () => (sizes.disconnect(), contents.disconnect()) };
}
