import { useQuery } from "@tanstack/react-query";

import { get } from "../api/client";
import type { Hosts } from "../api/types";

/** The oldest instant of which anything is kept, where that is known; and whether the server has been asked. */
export function useOldestInstant(): { oldest: number | null; isAsked: boolean } {
  const found = useQuery({
    queryKey: ["oldest"],
    queryFn: ({ signal }) => get<Hosts>("/hosts", { limit: 1 }, signal),
    staleTime: 600_000,
  });
  return { oldest: found.data?.meta.oldest ?? null, isAsked: !found.isPending };
}
