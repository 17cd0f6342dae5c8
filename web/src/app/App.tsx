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

/** Signs in by the link of the address, if there is one, and asks whether there is a session. */
async function currentState(): Promise<SignInState> {
  const link = takeLink();
  let reason: SignInState = "out";
  if (link !== null) {
    try {
      await signInByLink(link);
      // What the document has asked for was answered before.
      return "in";
    } catch (error) {
      if (!isRefusal(error)) throw error;
      reason = "used-link";
    }
  }
  try {
    await get("/session");
    return "in";
  } catch (error) {
    if (isRefusal(error)) return reason;
    throw error;
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && [400, 401, 403, 404].includes(error.status);
}
