export function ScatterTab() {
  return null;
}
