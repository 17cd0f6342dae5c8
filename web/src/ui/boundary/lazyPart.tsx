/** Parts of the page whose code comes when they are first shown. */

import { Button, Group, Stack, Text } from "@mantine/core";
import { useEffect, useState, type ComponentType } from "react";

import { Loading } from "../parts/Loading";
import states from "../parts/states.module.css";
import { findLoadProblem, type LoadProblem } from "./loadProblem";

const RETRY_MS = 2000;

/** Unlike `React.lazy`, it tries again: a server that restarts is there a moment later. */
export function lazyPart<Props extends object>(
  label: string,
  load: () => Promise<ComponentType<Props>>,
): ComponentType<Props> {
  let loaded: ComponentType<Props> | null = null;
  const keep = async () => {
    loaded = await load();
  };
  return function LazyPart(props: Props) {
    const { problem, retry } = useCode(loaded !== null, keep);
    if (loaded !== null) {
      const Part = loaded;
      return <Part {...props} />;
    }
    return problem === null ? <Loading label={label} /> : <NotLoaded problem={problem} onRetry={retry} />;
  };
}

/** Loads until it works, and draws the part anew then. */
function useCode(isLoaded: boolean, load: () => Promise<void>) {
  const [problem, setProblem] = useState<LoadProblem | null>(null);
  const [, redraw] = useState(0);
  const [attempt, setAttempt] = useState(0);
  const retry = () => setAttempt((before) => before + 1);

  useEffect(() => {
    if (isLoaded) return;
    let isWanted = true;
    let timer: number | undefined;
    const tryOnce = async () => {
      try {
        await load();
        if (isWanted) redraw((before) => before + 1);
      } catch {
        const found = await findLoadProblem();
        if (!isWanted) return;
        setProblem(found);
        // What an upgrade has taken away does not come back.
        if (found !== "new-version") timer = window.setTimeout(() => void tryOnce(), RETRY_MS);
      }
    };
    void tryOnce();
    return () => {
      isWanted = false;
      window.clearTimeout(timer);
    };
  }, [isLoaded, load, attempt]);
  return { problem, retry };
}

const MESSAGES: Readonly<Record<LoadProblem, string>> = {
  "new-version": "There is a new version of this page. Reload it to go on: the address keeps your view.",
  unreachable: "Server unreachable. This part of the page is not loaded yet; trying again.",
  missing: "This part of the page could not be loaded; trying again. If that goes on, reload the page.",
};

function NotLoaded({ problem, onRetry }: { problem: LoadProblem; onRetry: () => void }) {
  return (
    <Stack className={states.state} role="alert" align="center" justify="center" gap="xs">
      <Text size="sm" ta="center" className={states.message}>
        {MESSAGES[problem]}
      </Text>
      <Group gap="xs">
        {problem !== "new-version" && (
          <Button size="xs" variant="default" onClick={onRetry}>
            Try again
          </Button>
        )}
        {problem !== "unreachable" && (
          <Button size="xs" onClick={() => window.location.reload()}>
            Reload
          </Button>
        )}
      </Group>
    </Stack>
  );
}
