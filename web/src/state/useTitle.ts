import { useEffect } from "react";

import { visible } from "../ui/format/text";
import { useView } from "./useView";

const MAX_CHARACTERS = 80;

/** Names the view in the title: that is what tabs and bookmarks show. */
export function useTitle(tab: string): void {
  const [view] = useView();
  const parts = [[view.search, ...view.tags].filter((part) => part !== "").join(" "), tab, "Procession"];
  const title = parts.filter((part) => part !== "").map((part) => visible(part).slice(0, MAX_CHARACTERS)).join(" · ");
  useEffect(() => {
    document.title = title;
  }, [title]);
}
