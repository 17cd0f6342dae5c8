import { Paper } from "@mantine/core";

import { formatShortCount } from "../ui/format/numbers";
import { brief } from "../ui/format/text";
import classes from "./SearchBar.module.css";
import type { Completion } from "./completion";

interface CompletionListProps {
  id: string;
  completions: readonly Completion[];
  /** Index of the one that Enter takes; -1 for none. */
  active: number;
  onChoose: (completion: Completion) => void;
}

/** The list below the search. */
export function CompletionList({ id, completions, active, onChoose }: CompletionListProps) {
  return (
    <Paper className={classes.options} shadow="md" withBorder role="listbox" id={id} aria-label="Completions">
      {completions.map((completion, index) => (
        <div
          key={`${completion.key}${completion.sign ?? ":"}${completion.value ?? ""}`}
          id={`${id}-${index}`}
          role="option"
          aria-selected={index === active}
          className={classes.option}
          data-active={index === active || undefined}
          // Before the input loses the focus.
          onMouseDown={(event) => {
            event.preventDefault();
            onChoose(completion);
          }}
        >
          <span className={classes.text}>
            <span className={classes.optionKey}>
              {brief(completion.key, 100)}
              {completion.sign ?? ":"}
            </span>
            {completion.value === undefined ? "" : brief(completion.value, 200)}
          </span>
          <span className={classes.count}>{completion.count === null ? "number" : formatShortCount(completion.count)}</span>
        </div>
      ))}
    </Paper>
  );
}
