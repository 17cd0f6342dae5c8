/** The users of the org, for admins. */

import { get, send } from "../api/client";
import { button, element, field, select, table, type Child } from "./element";
import { showMoment } from "./moments";
import { askRestriction, seenWith, type Restriction } from "./restriction";
import { ask, form, messages, saying } from "./working";

interface OrgUser extends Restriction {
  name: string;
  role: string;
  created_at: number;
  sessions: number;
  is_you: boolean;
  /** Of the provider by which the user signs in, who has no password here. */
  issuer: string | null;
}

const AUDITOR = "auditor";
const VIEWER = "viewer";
const ROLES = [
  [VIEWER, VIEWER],
  ["editor", "editor"],
  ["admin", "admin"],
] as const;

type Refresh = () => Promise<void>;

export function users(): HTMLElement {
  const place = messages();
  const list = element("div");
  const refresh = (): Promise<void> =>
    saying(place, async () => list.replaceChildren(userTable(await orgUsers(), place, refresh)));
  void refresh();
  const intro =
    "A viewer reads; an editor also changes views, monitors and downtimes; an admin also channels, tags of hosts and users. " +
    "A viewer can be restricted to processes with certain tags, or to command lines without arguments. " +
    "Auditors watch admins, and are made by the command procession users on the machine of the server.";
  return element(
    "section",
    {},
    element("h2", {}, "Users"),
    element("p", { class: "quiet" }, intro),
    newUser(refresh),
    place,
    list,
  );
}

async function orgUsers(): Promise<OrgUser[]> {
  return (await get<{ users: OrgUser[] }>("/users")).users;
}

function newPassword(): HTMLInputElement {
  return element("input", {
    type: "password",
    required: true,
    minlength: "10",
    maxlength: "1024",
    autocomplete: "new-password",
  });
}

function newUser(refresh: Refresh): HTMLElement {
  const name = element("input", { required: true, maxlength: "100", autocomplete: "off", autocapitalize: "none" });
  const role = select(ROLES, VIEWER);
  const password = newPassword();
  const content = [field("User", name), field("Role", role), field("Password", password)];
  return form("New user", "Add the user", content, async () => {
    await send("POST", "/users", { name: name.value, role: role.value, password: password.value });
    name.value = password.value = "";
    await refresh();
  });
}

function userTable(found: OrgUser[], place: HTMLElement, refresh: Refresh): HTMLElement {
  const rows = found.map((user) => [
    nameOf(user),
    user.role === AUDITOR ? AUDITOR : roleOf(user, place, refresh),
    showMoment(user.created_at),
    user.sessions,
    seenWith(user),
    user.role === AUDITOR ? null : actionsOn(user, place, refresh),
  ]);
  return table("Users", ["User", "Role", "Created", "Sessions", "Sees", "Actions"], rows, "There are no users.");
}

function nameOf(user: OrgUser): HTMLElement {
  const name = user.is_you ? `${user.name} (you)` : user.name;
  const provider = user.issuer !== null && element("div", { class: "quiet" }, `by ${user.issuer.replace(/^https?:\/\//, "")}`);
  return element("div", {}, name, provider);
}

function pathOf(user: OrgUser): string {
  return `/users/${encodeURIComponent(user.name)}`;
}

function roleOf(user: OrgUser, place: HTMLElement, refresh: Refresh): HTMLElement {
  const role = select(ROLES, user.role);
  role.setAttribute("aria-label", `Role of ${user.name}`);
  const change = async () => {
    try {
      await send("PATCH", pathOf(user), { role: role.value });
    } catch (error) {
      role.value = user.role;
      throw error;
    }
    await refresh();
  };
  role.addEventListener("change", () => void saying(place, change));
  return role;
}

function actionsOn(user: OrgUser, place: HTMLElement, refresh: Refresh): Child {
  const resetPassword = () => {
    const password = newPassword();
    ask(`Another password for ${user.name}`, [field("Password", password)], "Reset", async () => {
      await send("PATCH", pathOf(user), { password: password.value });
      await refresh();
    });
  };
  const restrict = () => askRestriction(user.name, user, pathOf(user), refresh);
  const endSessions = async () => {
    await send("DELETE", `${pathOf(user)}/sessions`);
    await refresh();
  };
  const remove = () => {
    const why = element("p", {}, "All sessions and keys of the user end within seconds.");
    ask(`Remove ${user.name}?`, [why], "Remove", async () => {
      await send("DELETE", pathOf(user));
      await refresh();
    });
  };
  return element(
    "div",
    { class: "actions" },
    user.issuer === null && button("Reset password", resetPassword, `Reset password of ${user.name}`),
    user.role === VIEWER && button("Restrict", restrict, `Restrict ${user.name}`),
    button("End sessions", () => void saying(place, endSessions), `End sessions of ${user.name}`),
    button("Remove", remove, `Remove ${user.name}`),
  );
}
