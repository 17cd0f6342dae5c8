/** Why the code of a part did not come, as far as the server's page tells. */

export type LoadProblem = "new-version" | "unreachable" | "missing";

/** Asks for the page again. Where it loads other scripts than this one did, the server has been upgraded. */
export async function findLoadProblem(): Promise<LoadProblem> {
  let html: string;
  try {
    const response = await fetch("/", { cache: "no-store", headers: { accept: "text/html" } });
    if (!response.ok) return "unreachable";
    html = await response.text();
  } catch {
    return "unreachable";
  }
  const scripts = document.querySelectorAll<HTMLScriptElement>("script[type=module][src]");
  const ours = Array.from(scripts, (script) => script.getAttribute("src") ?? "");
  return ours.every((src) => html.includes(`"${src}"`)) ? "missing" : "new-version";
}
