/** Allows a line to break between the words of a class's name: HalfSquared|Error|Loss. */
export function breakable(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, "$1\u200b$2");
}
