/** Keeps the instant of the view: fixed until refreshed, or moving with the clock while it is live. */

import { useCallback, useEffect, useMemo, useState, type ReactNode } from "react";
import { send, serverNow } from "../api/client";
import type { WatchLease } from "../api/types";
import { followsNow, instantOf, InstantContext, windowOf, type Instant } from "./instant";
import { useView } from "./useView";

/** Agents that are watched send every two seconds. The table asks more often than that, so that what they have sent is
 * on it in three; what is made of all processes takes longer, and need not be as new. */
const LIVE_STEP_MS = { table: 1000, others: 2000 };
/** Half of the lease: one call may be lost. */
const WATCH_STEP_MS = 5000;

export function InstantProvider({ children }: { children: ReactNode }) {
  const [view] = useView();
  const { time } = view;
  const [now, setNow] = useState(serverNow);
  const refresh = useCallback(() => setNow(serverNow()), []);
  const isLive = time.mode === "live";
  const isTable = view.tab === "table";
  const isVisible = useIsVisible();

  // Another search or another span is another question: it is asked of now.
  const question = followsNow(time) ? JSON.stringify([time, view.search, view.tags, view.sort]) : "fixed";
  const [asked, setAsked] = useState(question);
  if (asked !== question) {
    setAsked(question);
    setNow(serverNow());
  }

  useEffect(() => {
    if (!isLive || !isVisible) return;
    // At once where the page has been out of sight.
    const first = window.setTimeout(refresh, 0);
    const timer = window.setInterval(refresh, isTable ? LIVE_STEP_MS.table : LIVE_STEP_MS.others);
    return () => {
      window.clearTimeout(first);
      window.clearInterval(timer);
    };
  }, [isLive, isVisible, isTable, refresh]);

  useEffect(() => {
    if (!isLive || !isVisible) return;
    const watch = () => {
      // Without the lease the view still moves on, at the usual pace of the agents; the table shows the error.
      send<WatchLease>("POST", "/watch", {}).catch(() => undefined);
    };
    watch();
    const timer = window.setInterval(watch, WATCH_STEP_MS);
    return () => window.clearInterval(timer);
  }, [isLive, isVisible]);

  const instant = useMemo<Instant>(
    () => ({ at: instantOf(time, now), window: windowOf(time, now), isLive, refresh }),
    [time, now, isLive, refresh],
  );
  return <InstantContext value={instant}>{children}</InstantContext>;
}

function useIsVisible(): boolean {
  const [isVisible, setIsVisible] = useState(!document.hidden);
  useEffect(() => {
    const note = () => setIsVisible(!document.hidden);
    document.addEventListener("visibilitychange", note);
    return () => document.removeEventListener("visibilitychange", note);
  }, []);
  return isVisible;
}
