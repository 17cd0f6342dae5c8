/** Elements with attributes, listeners and children. Texts become text, never markup. */

export type Child = Node | string | number | null | false;
type Attribute = string | boolean | ((event: Event) => void);

/** A function is a listener to the event of its name; true is an attribute without a value, false none. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, Attribute> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (typeof value === "boolean") made.toggleAttribute(name, value);
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== false).map(asNode));
  return made;
}

function asNode(child: Node | string | number): Node | string {
  return typeof child === "number" ? String(child) : child;
}

/** An input with its label above. */
export function field(label: string, input: HTMLElement): HTMLElement {
  return element("label", { class: "field" }, element("span", {}, label), input);
}

/** Options as value and text. */
export function select(options: readonly (readonly [string, string])[], chosen: string): HTMLSelectElement {
  const made = element("select", {}, ...options.map(([value, text]) => element("option", { value }, text)));
  made.value = chosen;
  return made;
}

export function button(text: string, onClick: () => void, name = text): HTMLButtonElement {
  return element("button", { type: "button", "aria-label": name, click: onClick }, text);
}

/** A table that scrolls sideways where there is no room; a line in place of rows where there are none. */
export function table(name: string, columns: readonly string[], rows: readonly Child[][], none: string): HTMLElement {
  if (rows.length === 0) return element("p", { class: "quiet" }, none);
  const head = columns.map((column) => element("th", { scope: "col" }, column));
  const body = rows.map((cells) => element("tr", {}, ...cells.map((cell) => element("td", {}, cell))));
  return element(
    "div",
    { class: "scroll", role: "region", tabindex: "0", "aria-label": name },
    element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body)),
  );
}
