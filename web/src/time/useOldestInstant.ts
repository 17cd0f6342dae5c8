import { useQuery } from "@tanstack/react-query";

import { get, serverNow } from "../api/client";
import type { Hosts } from "../api/types";

const WEEK_SECONDS = 7 * 86400;

/** The oldest instant of which anything is kept. */
export function useOldestInstant(): number {
  const found = useQuery({
    queryKey: ["oldest"],
    queryFn: ({ signal }) => get<Hosts>("/hosts", { limit: 1 }, signal),
    staleTime: 600_000,
  });
  return found.data?.meta.oldest ?? serverNow() - WEEK_SECONDS;
}
