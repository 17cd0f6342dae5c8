/** Signing in by a provider, with a name and a password, or with an application key. */

import { Alert, Button, Code, Paper, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";

import { ApiError, get } from "../api/client";
import { signIn, signInByPassword, type SignInProvider } from "../api/session";
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

const NOTHING = { user: "", password: "", key: "" };
type Credentials = typeof NOTHING;

export function SignIn({ reason, onSignedIn }: SignInProps) {
  const [given, setGiven] = useState(NOTHING);
  const [error, setError] = useState<string | null>(null);
  const [isBusy, setIsBusy] = useState(false);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setError(null);
    setIsBusy(true);
    try {
      await signInWith(given);
      setGiven(NOTHING);
      onSignedIn();
    } catch (failure) {
      setError(messageFor(failure, given));
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
            <Providers />
            <Fields given={given} error={error} onChange={(change) => setGiven({ ...given, ...change })} />
            <Button type="submit" loading={isBusy}>
              Sign in
            </Button>
            <Text size="xs" c="var(--ink-quiet)">
              None of these? On the machine of the server, run <Code>procession link</Code> for a link that signs you in;{" "}
              <Code>procession users add</Code> makes a user, <Code>procession keys create application</Code> a key.
            </Text>
          </Stack>
        </form>
      </Paper>
    </main>
  );
}

/** None until they are known: the fields do not wait for them. */
function Providers() {
  const { data } = useQuery({
    queryKey: ["sign-in"],
    queryFn: ({ signal }) => get<{ providers: SignInProvider[] }>("/sign-in", {}, signal),
  });
  const to = encodeURIComponent(`/${window.location.search}${window.location.hash}`);
  return data?.providers.map(({ name, title, problem }) => (
    <div key={name}>
      <Button component="a" variant="default" fullWidth href={`/signin/oidc/${name}?to=${to}`}>
        Sign in with {title}
      </Button>
      {problem && (
        <Text size="sm" role="status">
          {problem}
        </Text>
      )}
    </div>
  ));
}

interface FieldsProps {
  given: Credentials;
  error: string | null;
  onChange: (change: Partial<Credentials>) => void;
}

function Fields({ given, error, onChange }: FieldsProps) {
  return (
    <>
      <TextInput
        label="User"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        data-autofocus
        autoFocus
        value={given.user}
        onChange={(event) => onChange({ user: event.currentTarget.value })}
      />
      <PasswordInput
        label="Password"
        autoComplete="current-password"
        value={given.password}
        onChange={(event) => onChange({ password: event.currentTarget.value })}
      />
      <PasswordInput
        label="Application key"
        description="In place of both. It can read the processes of its org, and nothing else."
        autoComplete="off"
        spellCheck={false}
        value={given.key}
        error={error}
        onChange={(event) => onChange({ key: event.currentTarget.value })}
      />
    </>
  );
}

async function signInWith({ user, password, key }: Credentials): Promise<void> {
  if (key.trim()) await signIn(key.trim());
  else if (user.trim() && password) await signInByPassword(user.trim(), password);
  else throw new Error("Enter your name and your password, or an application key.");
}

function messageFor(failure: unknown, { key }: Credentials): string {
  if (!(failure instanceof ApiError)) return failure instanceof Error ? failure.message : String(failure);
  if (failure.status !== 403 && failure.status !== 401) return failure.messages.join(" ");
  return key.trim()
    ? "This is no application key of this server, or it was revoked."
    : "There is no such user, or this is not the password.";
}
