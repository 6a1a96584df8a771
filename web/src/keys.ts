import type { Exploration } from "./exploration.svelte";
import type { Key } from "./i18n";

/** What the list under "?" says. */
export const KEYS: { keys: string[]; text: Key }[] = [
  { keys: ["Space", "k"], text: "key_play" },
  { keys: ["→", "←"], text: "key_thought" },
  { keys: ["⇧→", "⇧←"], text: "key_stop" },
  { keys: ["Home", "End"], text: "key_ends" },
  { keys: ["m"], text: "key_map" },
  { keys: ["↑ ↓ ← →"], text: "key_slide" },
  { keys: ["PgUp", "PgDn"], text: "key_page" },
  { keys: ["n"], text: "key_network" },
  { keys: ["s"], text: "key_step" },
  { keys: ["v"], text: "key_view" },
  { keys: ["[", "]"], text: "key_sample" },
  { keys: ["1", "…", "9"], text: "key_panel" },
  { keys: ["l"], text: "key_language" },
  { keys: ["t"], text: "key_theme" },
  { keys: ["?"], text: "key_help" },
];

export interface Actions {
  help(): void;
  focus(region: "network" | "step" | "map" | "player"): void;
  panel(number: number): void;
  theme(): void;
}

const TYPING = "input:not([type=range]):not([type=checkbox]), textarea, select, [contenteditable]";
const MOVING = "[role=grid], [role=tablist], input, select, textarea, dialog, .maps"; // these use arrows themselves

/** Does what a key asks for; says whether it did. */
export function press(event: KeyboardEvent, exploration: Exploration, actions: Actions): boolean {
  const target = event.target as HTMLElement;
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || target.closest(TYPING) || target.closest("dialog[open]")) return false;
  const { tour } = exploration;
  const free = !target.closest(MOVING);
  const moves: Record<string, () => void> = {
    ArrowRight: () => void tour.next(),
    ArrowLeft: () => void tour.previous(),
    "shift ArrowRight": () => void tour.goTo(Math.min(tour.stops.length - 1, tour.stop + 1), 0),
    "shift ArrowLeft": () => void tour.goTo(Math.max(0, tour.stop - 1), 0),
    Home: () => void tour.goTo(0, 0),
    End: () => void tour.goTo(tour.stops.length - 1, "last"),
  };
  const letters: Record<string, () => void> = {
    k: () => tour.toggle(),
    m: () => actions.focus("map"),
    n: () => actions.focus("network"),
    s: () => actions.focus("step"),
    v: () => exploration.setView(exploration.view === "value" ? "gradient" : "value"),
    "[": () => turn(exploration, -1),
    "]": () => turn(exploration, 1),
    l: () => void exploration.setLanguage(exploration.lang === "en" ? "zh" : "en"),
    t: actions.theme,
    "?": actions.help,
  };
  const move = moves[event.shiftKey && event.key.startsWith("Arrow") ? `shift ${event.key}` : event.key];
  if (move && free) return done(event, move);
  if (event.key === " " && !target.closest("button, a, summary, [role=tab], [role=grid], input, select")) return done(event, () => tour.toggle());
  if (!exploration.letters) return false;
  if (letters[event.key]) return done(event, letters[event.key]!);
  if (/^[1-9]$/.test(event.key)) return done(event, () => actions.panel(Number(event.key) - 1));
  return false;
}

function done(event: KeyboardEvent, act: () => void): boolean {
  event.preventDefault();
  act();
  return true;
}

function turn(exploration: Exploration, by: number): void {
  const { overview } = exploration;
  const index = (overview?.sample ?? 0) + by;
  if (overview && index >= 0 && index < overview.samples) void exploration.change({ ask: "sample", index });
}
