import { Alert } from "@mantine/core";

import { ApiError } from "../../api/client";

/** What went wrong with a change, in the server's words. */
export function Problem({ error }: { error: Error | null }) {
  if (error === null) return null;
  const messages = error instanceof ApiError ? error.messages : [error.message];
  return (
    <Alert color="red" p="xs" role="alert">
      {messages.map((message) => (
        <div key={message}>{message}</div>
      ))}
    </Alert>
  );
}
