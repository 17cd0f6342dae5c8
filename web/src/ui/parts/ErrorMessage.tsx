import { Button, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";

import { ApiError, isAboutRole, isAboutScope } from "../../api/client";
import classes from "./states.module.css";

interface ErrorMessageProps {
  error: Error;
  onRetry: () => void;
  isWholeScreen?: boolean;
}

/** What went wrong, in the server's words, and what to do about it. */
export function ErrorMessage({ error, onRetry, isWholeScreen = false }: ErrorMessageProps) {
  const messages = error instanceof ApiError ? error.messages : [error.message];
  return (
    <Stack className={isWholeScreen ? classes.screen : classes.state} role="alert" align="center" justify="center" gap="xs">
      <IconAlertTriangle className={classes.warning} aria-hidden="true" />
      {messages.map((message) => (
        <Text key={message} size="sm" ta="center" className={classes.message}>
          {message}
        </Text>
      ))}
      <Text size="sm" c="var(--ink-quiet)" ta="center">
        {adviceOn(error)}
      </Text>
      <Button size="xs" variant="default" onClick={onRetry}>
        Try again
      </Button>
    </Stack>
  );
}

function adviceOn(error: Error): string {
  if (!(error instanceof ApiError)) return "This should not happen. Reloading the page may help.";
  switch (error.status) {
    case 0:
      return "Check that the server is running and that this machine can reach it.";
    case 400:
      return "Change the search, the tags or the time to try again.";
    case 403:
      if (error.messages.some(isAboutRole)) return "Whoever runs the server can give you that role: procession users set-role.";
      return error.messages.some(isAboutScope) ? "Sign in with a key that has it: procession keys create makes one." : "";
    case 404:
      return "It may be older than the retention period.";
    case 429:
      return error.retryAfter === null
        ? "Wait a moment, then try again."
        : `Wait ${error.retryAfter} s, or raise --own-rate-limit on the server.`;
    case 503:
      return "The store cannot answer right now. Try again in a moment.";
    default:
      return "The server's log has the details.";
  }
}
