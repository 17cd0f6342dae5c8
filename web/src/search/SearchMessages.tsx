import { Paper } from "@mantine/core";

import { brief } from "../ui/format/text";
import classes from "./SearchBar.module.css";
import type { SearchError } from "./searchError";

/** What the search may have meant, where nothing was found. */
export function SearchHintsMessage({ hints }: { hints: readonly string[] }) {
  return (
    <Paper className={classes.hints} shadow="md" withBorder role="status" aria-label="Hints">
      {hints.map((hint) => (
        <span key={hint}>{brief(hint, 500)}</span>
      ))}
    </Paper>
  );
}

interface SearchErrorMessageProps extends SearchError {
  id: string;
  /** Whether what is shown is still of the search before. */
  keepsResults: boolean;
}

/** Why the search cannot be understood, with the character where that shows. */
export function SearchErrorMessage({ id, search, message, position, keepsResults }: SearchErrorMessageProps) {
  return (
    <Paper className={classes.problem} shadow="md" withBorder role="alert" id={id}>
      {position !== null && (
        <code className={classes.faulty}>
          {brief(search.slice(Math.max(0, position - 60), position))}
          <mark data-testid="search-fault">{brief(search.slice(position, position + 1)) || "␣"}</mark>
          {brief(search.slice(position + 1, position + 60))}
        </code>
      )}
      <span>
        The search cannot be understood: {message}.{keepsResults && " The last results stay."}
      </span>
    </Paper>
  );
}
