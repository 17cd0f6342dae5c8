/** Hands a file to the browser, which downloads it under a name. */
export function saveFile(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The download has begun by then, and holds the file by itself.
  window.setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** `2026-03-02T142107Z`: a moment as a part of a file's name. */
export function momentOfName(at: number): string {
  return `${new Date(at * 1000).toISOString().slice(0, 19).replaceAll(":", "")}Z`;
}
