/** Signing in with an application key. */

import { Alert, Button, Code, Paper, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { useState, type SubmitEvent } from "react";

import { ApiError } from "../api/client";
import { signIn } from "../api/session";
import { Logo } from "../ui/parts/Logo";
import classes from "./SignIn.module.css";

interface SignInProps {
  /** Why one is asked to. */
  reason: "out" | "expired" | "used-link";
  onSignedIn: () => void;
}

const REASONS = {
  out: null,
  expired: "Your session has ended. Sign in to return to where you were.",
  "used-link": "This link was already used or has expired. Run procession link on the machine of the server for another one.",
};

export function SignIn({ reason, onSignedIn }: SignInProps) {
  const [key, setKey] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [isBusy, setIsBusy] = useState(false);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!key.trim()) {
      setError("Enter an application key.");
      return;
    }
    setIsBusy(true);
    setError(null);
    try {
      await signIn(key.trim());
      setKey("");
      onSignedIn();
    } catch (failure) {
      setError(messageFor(failure));
    } finally {
      setIsBusy(false);
    }
  };

  return (
    <main className={classes.page}>
      <Paper className={classes.card} withBorder>
        <form onSubmit={(event) => void submit(event)}>
          <Stack gap="md">
            <Logo />
            <Title order={1} size="h3">
              Sign in
            </Title>
            {REASONS[reason] && (
              <Alert color="yellow" variant="light" role="status">
                {REASONS[reason]}
              </Alert>
            )}
            <PasswordInput
              label="Application key"
              description="It can read the processes of its org, and nothing else."
              autoComplete="current-password"
              spellCheck={false}
              data-autofocus
              autoFocus
              value={key}
              error={error}
              onChange={(event) => setKey(event.currentTarget.value)}
            />
            <Button type="submit" loading={isBusy}>
              Sign in
            </Button>
            <Text size="xs" c="var(--ink-quiet)">
              No key? On the machine of the server, run <Code>procession link</Code> for a link that signs you in;{" "}
              <Code>procession keys create application</Code> makes a key.
            </Text>
          </Stack>
        </form>
      </Paper>
    </main>
  );
}

function messageFor(failure: unknown): string {
  if (!(failure instanceof ApiError)) return String(failure);
  return failure.status === 403 || failure.status === 401
    ? "This is no application key of this server, or it was revoked."
    : failure.messages.join(" ");
}
