export function GraphsTab() {
  return null;
}
