import { Button } from "@mantine/core";
import { IconX } from "@tabler/icons-react";

import { tagsOf, turnedAround } from "../../state/filters";
import { useView } from "../../state/useView";
import { brief } from "../../ui/format/text";
import classes from "./FilterChips.module.css";

/** The terms of the tag filter, each with a way to turn it around and to take it away. */
export function FilterChips() {
  const [view, patch] = useView();
  if (view.tags.length === 0) return null;
  const replace = (term: string, next: string[]) =>
    patch({ tags: [...new Set(view.tags.flatMap((one) => (one === term ? next : [one])))] });
  return (
    <div className={classes.chips} role="group" aria-label="Active tag filters">
      {view.tags.map((term) => {
        const isWithout = term.startsWith("!");
        const tag = isWithout ? term.slice(1) : term;
        return (
          <span key={term} className={classes.chip} data-without={isWithout || undefined}>
            <button
              type="button"
              className={classes.term}
              title={titleOf(term)}
              onClick={() => replace(term, turnedAround(term))}
            >
              {isWithout && <strong>not </strong>}
              {brief(tag, 160)}
            </button>
            <button
              type="button"
              className={classes.remove}
              aria-label={`Remove the filter ${term}`}
              onClick={() => replace(term, [])}
            >
              <IconX size={12} aria-hidden="true" />
            </button>
          </span>
        );
      })}
      <Button size="compact-xs" variant="subtle" onClick={() => patch({ tags: [] })}>
        Clear all
      </Button>
    </div>
  );
}

function titleOf(term: string): string {
  if (term.startsWith("!")) return "Excludes processes with this tag. Click to show only them.";
  const which = tagsOf(term).length > 1 ? "one of these tags" : "this tag";
  return `Shows only processes with ${which}. Click to exclude them.`;
}
