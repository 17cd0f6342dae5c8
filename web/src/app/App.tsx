/** Shows the sign-in form to visitors without a session, and the fleet to all others. */

import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useState } from "react";

import { ApiError, get, onSignedOut } from "../api/client";
import { signInByLink, takeLink } from "../api/session";
import { SignIn } from "../signin/SignIn";
import { InstantProvider } from "../state/InstantProvider";
import { useIsUtc } from "../ui/format/zone";
import { Loading } from "../ui/parts/Loading";
import { ErrorMessage } from "../ui/parts/ErrorMessage";
import { Shell } from "./shell/Shell";

type SignInState = "unknown" | "in" | "out" | "expired" | "used-link";

export function App() {
  const [signInState, setSignInState] = useState<SignInState>("unknown");
  const [problem, setProblem] = useState<Error | null>(null);
  const queries = useQueryClient();
  const isUtc = useIsUtc();

  const begin = useCallback(async () => {
    setProblem(null);
    setSignInState("unknown");
    setSignInState(await currentState().catch((error: unknown) => (setProblem(error as Error), "unknown" as const)));
  }, []);

  useEffect(() => {
    void Promise.resolve().then(begin);
  }, [begin]);

  useEffect(
    () =>
      onSignedOut(() => {
        setSignInState((before) => (before === "in" ? "expired" : before));
        queries.clear();
      }),
    [queries],
  );

  if (problem) return <ErrorMessage error={problem} onRetry={() => void begin()} isWholeScreen />;
  if (signInState === "unknown") return <Loading label="Checking your session" isWholeScreen />;
  if (signInState !== "in") return <SignIn reason={signInState} onSignedIn={() => setSignInState("in")} />;
  return (
    // All times of the page are written anew in the other zone.
    <InstantProvider key={isUtc ? "utc" : "local"}>
      <Shell
        onSignedOut={() => {
          queries.clear();
          setSignInState("out");
        }}
      />
    </InstantProvider>
  );
}

/** Asks whether there is a session, and signs in by the link of the address if there is one.
 *
 * The session is asked first, link or not: the document has asked for it already, and the browser gives that answer to
 * whoever asks next. After the link it would say that nobody is signed in. */
async function currentState(): Promise<SignInState> {
  const link = takeLink();
  const isIn = await isAccepted(get("/session"));
  if (link === null) return isIn ? "in" : "out";
  if (await isAccepted(signInByLink(link))) return "in";
  return isIn ? "in" : "used-link";
}

/** Whether the server accepts it, or refuses. Throws what is neither. */
async function isAccepted(answer: Promise<unknown>): Promise<boolean> {
  try {
    await answer;
    return true;
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && [400, 401, 403, 404].includes(error.status);
}
