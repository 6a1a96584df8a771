/** Calls once, when an element comes near the part of the page that is seen: maps that nobody looks at are not asked for. */
export function seen(element: HTMLElement, call: () => void): { destroy(): void } {
  const observer = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      call();
    },
    { rootMargin: "300px" },
  );
  observer.observe(element);
  return { destroy: () => observer.disconnect() };
}
