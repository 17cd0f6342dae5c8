import { useEffect, useState } from "react";

/** Whether something has gone on for `afterMs` or longer, so that progress should be shown. */
export function useIsSlow(isGoingOn: boolean, afterMs = 400): boolean {
  const [isSlow, setIsSlow] = useState(false);
  useEffect(() => {
    if (!isGoingOn) return;
    const timer = window.setTimeout(() => setIsSlow(true), afterMs);
    return () => {
      window.clearTimeout(timer);
      setIsSlow(false);
    };
  }, [isGoingOn, afterMs]);
  return isSlow;
}
