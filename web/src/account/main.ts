/** Who I am, my keys, and users and the audit trail for those who may: a small page, of which the large one loads
 * nothing. */

import "../app/theme.css";
import "./account.css";

import { ApiError, get } from "../api/client";
import type { Session } from "../api/monitors";
import { audit } from "./audit";
import { element } from "./element";
import { keys } from "./keys";
import { users } from "./users";
import { reasonOf } from "./working";

interface Part {
  hash: string;
  title: string;
  show: (session: Session) => HTMLElement;
  /** Whether it is for whoever is signed in. */
  isFor: (session: Session) => boolean;
}

const PARTS: Part[] = [
  { hash: "#keys", title: "My keys", show: keys, isFor: (session) => Boolean(session.user) },
  { hash: "#users", title: "Users", show: users, isFor: ({ scopes }) => scopes.includes("user_access_manage") },
  { hash: "#audit", title: "Audit trail", show: audit, isFor: ({ scopes }) => scopes.includes("audit_read") },
];

/** As the large page was told. */
function setTheme(): void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    let kept: string | null = null;
    try {
      kept = localStorage.getItem("procession-theme");
    } catch {
      // A browser that keeps nothing.
    }
    const isDark = kept === "dark" || (kept !== "light" && dark.matches);
    document.documentElement.dataset.mantineColorScheme = isDark ? "dark" : "light";
  };
  dark.addEventListener("change", apply);
  apply();
}

function whoIs({ org, user, role, scopes }: Session): HTMLElement {
  const name = user ? `${user}, ${role ?? ""} of ${org}` : `Signed in with a key of ${org}`;
  const may = scopes.length ? `Besides reading processes: ${scopes.join(", ")}.` : "Reads processes.";
  return element("section", {}, element("h1", {}, name), element("p", { class: "quiet" }, may));
}

function page(session: Session): HTMLElement[] {
  const parts = PARTS.filter((part) => part.isFor(session));
  const chosen = parts.find((part) => part.hash === location.hash) ?? parts[0];
  const links = parts.map((part) =>
    element("a", { href: part.hash, "aria-current": part === chosen ? "page" : false }, part.title),
  );
  const back = element("a", { href: "/" }, "← Processes");
  const content = chosen ? chosen.show(session) : element("p", { class: "quiet" }, "Keys are made here by users, and you are signed in with a key.");
  return [
    element("header", {}, back, element("nav", { "aria-label": "Parts" }, ...links)),
    element("main", {}, whoIs(session), content),
  ];
}

function notSignedIn(error: unknown): HTMLElement {
  const isOut = error instanceof ApiError && error.status === 403;
  const said = isOut ? "You are not signed in." : reasonOf(error);
  return element("main", {}, element("h1", {}, said), element("a", { href: "/" }, isOut ? "Sign in" : "Back to the processes"));
}

async function start(root: HTMLElement): Promise<void> {
  setTheme();
  try {
    const session = await get<Session>("/session");
    const show = () => root.replaceChildren(...page(session));
    window.addEventListener("hashchange", show);
    show();
  } catch (error) {
    root.replaceChildren(notSignedIn(error));
  }
}

const root = document.getElementById("root");
if (!root) throw new Error("account.html has no #root");
void start(root);
