/** Who is looking: the session that a cookie names, which no script can read. */

import { send } from "./client";

/** With an application key. Throws ApiError 403 if it is none. */
export function signIn(applicationKey: string): Promise<unknown> {
  return send("POST", "/session", { application_key: applicationKey });
}

/** With the password of a user. Throws ApiError 403 if there is none such, 429 after too many tries. */
export function signInByPassword(user: string, password: string): Promise<unknown> {
  return send("POST", "/sign-in", { user, password });
}

/** With the link that `procession up` prints; it is good once. */
export function signInByLink(token: string): Promise<unknown> {
  return send("POST", "/session", { link: token });
}

/** Gives where one signs out of the provider as well, if there is such a place. */
export function signOut(): Promise<{ next?: string } | undefined> {
  return send("DELETE", "/session");
}

export interface SignInProvider {
  name: string;
  title: string;
  /** Why nobody can sign in by it now, in a sentence; empty if nothing is wrong. */
  problem: string;
}

/** The token of the address, which is then gone from there: it must not be kept, sent on or shared. */
export function takeLink(): string | null {
  const match = /^#link=(.+)$/.exec(window.location.hash);
  if (!match?.[1]) return null;
  window.history.replaceState(null, "", window.location.pathname + window.location.search);
  return decodeURIComponent(match[1]);
}
