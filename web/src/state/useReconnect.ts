/** Finds out when a server that could not be reached is there again. */

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";

import { get, isServerReached, onReachChange } from "../api/client";

const RETRY_MS = 2000;

export function useIsReached(): boolean {
  return useSyncExternalStore(onReachChange, isServerReached);
}

/** Asks again and again while the server is away, and once it is back for all that has failed. */
export function useReconnect(): void {
  const queries = useQueryClient();
  const isReached = useIsReached();
  useEffect(() => {
    if (isReached) {
      void queries.refetchQueries({ predicate: ({ state }) => state.status === "error" });
      return;
    }
    const timer = window.setInterval(() => void get("/session").catch(() => undefined), RETRY_MS);
    return () => window.clearInterval(timer);
  }, [isReached, queries]);
}
