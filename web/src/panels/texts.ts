/** Texts of the panels. A unit test compares the keys of the two languages. */
export const en = {} as const;

export const zh: Record<keyof typeof en, string> = {};
