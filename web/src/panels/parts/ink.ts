/** A soft round brush: ink of 1 in its middle, falling to 0 at its rim. */
export function dab(ink: Float64Array, rows: number, columns: number, row: number, column: number, radius: number): void {
  const reach = Math.ceil(radius + 1);
  for (let r = Math.max(0, row - reach); r <= Math.min(rows - 1, row + reach); r++) {
    for (let c = Math.max(0, column - reach); c <= Math.min(columns - 1, column + reach); c++) {
      const cover = Math.max(0, Math.min(1, radius + 0.5 - Math.hypot(r - row, c - column)));
      ink[r * columns + c] = Math.max(ink[r * columns + c]!, cover);
    }
  }
}
