/** Calls of the server that this page came from. The session cookie goes along by itself. */

export const PREFIX = "/api/procession/v1";

export type ParamValue = string | number | boolean | null | undefined;
export type Params = Record<string, ParamValue>;

/** An answer that is an error, with one text for each thing that is wrong; or no answer at all (status 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly messages: readonly string[],
    /** Seconds to wait before another try, where the server gave them. */
    readonly retryAfter: number | null = null,
  ) {
    super(messages.join("; "));
    this.name = "ApiError";
  }
}

type Listener = () => void;
const signedOutListeners = new Set<Listener>();

/** Calls the listener when the session has ended. Gives a function that takes the listener away. */
export function onSignedOut(listener: Listener): Listener {
  signedOutListeners.add(listener);
  return () => signedOutListeners.delete(listener);
}

type ErrorListener = (params: Params, error: unknown) => void;
const errorListeners = new Set<ErrorListener>();

/** Calls the listener for each GET that failed, with its parameters. */
export function onError(listener: ErrorListener): Listener {
  errorListeners.add(listener);
  return () => errorListeners.delete(listener);
}

type AnswerListener = (path: string, params: Params, answer: unknown) => void;
const answerListeners = new Set<AnswerListener>();

/** Calls the listener for each GET that was answered, with its parameters. */
export function onAnswer(listener: AnswerListener): Listener {
  answerListeners.add(listener);
  return () => answerListeners.delete(listener);
}

let isReached = true;
const reachListeners = new Set<Listener>();

/** Whether the last call had an answer of the server, be it an error. */
export function isServerReached(): boolean {
  return isReached;
}

/** Calls the listener when that changes. Gives a function that takes the listener away. */
export function onReachChange(listener: Listener): Listener {
  reachListeners.add(listener);
  return () => reachListeners.delete(listener);
}

function noteReach(isNow: boolean): void {
  if (isReached === isNow) return;
  isReached = isNow;
  reachListeners.forEach((listener) => listener());
}

/** What a proxy answers in place of a server that does not. */
const NO_SERVER = new Set([502, 504]);

/** Whether an error says that the server could not be asked, and not that it refused. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || NO_SERVER.has(error.status));
}

let skewSeconds = 0;

/** Now, in whole Unix seconds, by the server's clock as far as it is known: instants are the server's. */
export function serverNow(): number {
  return Math.floor(Date.now() / 1000 + skewSeconds);
}

/** The path of a call with its parameters; absent and empty ones are left out. Datadog's routes are named whole. */
export function address(path: string, params: Params = {}): string {
  const query = Object.entries(params)
    .filter(([, value]) => value !== undefined && value !== null && value !== "")
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
    .join("&");
  return (path.startsWith("/api/") ? "" : PREFIX) + path + (query ? `?${query}` : "");
}

/** Gives what GET answers. Throws ApiError; a 403 leads to the sign-in page as well. */
export async function get<T>(path: string, params: Params = {}, signal?: AbortSignal): Promise<T> {
  try {
    const answer = await call<T>("GET", address(path, params), undefined, signal, isOfInstant(params) ? SHARED : {});
    answerListeners.forEach((listener) => listener(path, params, answer));
    return answer;
  } catch (error) {
    errorListeners.forEach((listener) => listener(params, error));
    throw error;
  }
}

/** The server may answer with what somebody else who sees the same was told within the last second: whoever looks at a
 * view live asks for the same. */
const SHARED = { "cache-control": "max-age=1" };

/** Whether a call is about an instant or a window, which the page names, and not about what somebody has changed here. */
function isOfInstant(params: Params): boolean {
  return "at" in params || ("from" in params && "to" in params);
}

/** POST, PUT, PATCH or DELETE with a body of JSON. */
export async function send<T>(
  method: "POST" | "PUT" | "PATCH" | "DELETE",
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  return call<T>(method, address(path), body, signal);
}

async function call<T>(
  method: string,
  url: string,
  body: unknown,
  signal: AbortSignal | undefined,
  headers: Record<string, string> = {},
): Promise<T> {
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      credentials: "same-origin",
      headers: body === undefined ? headers : { ...headers, "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    noteReach(false);
    throw new ApiError(0, ["The server cannot be reached."]);
  }
  noteReach(!NO_SERVER.has(response.status));
  noteServerClock(response);
  if (!response.ok) throw await errorOf(response);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

async function errorOf(response: Response): Promise<ApiError> {
  let messages: string[] = [];
  try {
    const body: unknown = await response.json();
    const errors = (body as { errors?: unknown } | null)?.errors;
    if (Array.isArray(errors)) messages = errors.map(String);
  } catch {
    // A proxy's page: the status says enough.
  }
  if (messages.length === 0) messages = [`The server answered ${response.status} ${response.statusText}`.trim()];
  if (response.status === 403 && !messages.some(isAboutScope)) signedOutListeners.forEach((listener) => listener());
  const reset = Number(response.headers.get("x-ratelimit-reset"));
  return new ApiError(response.status, messages, response.status === 429 && reset > 0 ? reset : null);
}

/** Whether somebody is signed in, with a key or a role that may not do this. */
export function isAboutScope(message: string): boolean {
  return message.includes("this takes an application key with the scope") || isAboutRole(message);
}

export function isAboutRole(message: string): boolean {
  return message.includes("this takes the role");
}

function noteServerClock(response: Response): void {
  const date = Date.parse(response.headers.get("date") ?? "");
  if (Number.isNaN(date)) return;
  const seconds = date / 1000 - Date.now() / 1000;
  // The header has whole seconds, and an answer takes its time: a difference so small is none.
  skewSeconds = Math.abs(seconds) < 2 ? 0 : Math.round(seconds);
}
