/** The row that a key leads to; null for keys that lead nowhere. */
export function moveTo(key: string, active: number | null, rowCount: number, rowsPerPage: number): number | null {
  if (rowCount === 0) return null;
  const within = (row: number) => Math.max(0, Math.min(row, rowCount - 1));
  switch (key) {
    case "ArrowDown":
      return active === null ? 0 : within(active + 1);
    case "ArrowUp":
      return active === null ? 0 : within(active - 1);
    case "PageDown":
      return within((active ?? 0) + rowsPerPage);
    case "PageUp":
      return within((active ?? 0) - rowsPerPage);
    case "Home":
      return 0;
    case "End":
      return rowCount - 1;
    default:
      return null;
  }
}
