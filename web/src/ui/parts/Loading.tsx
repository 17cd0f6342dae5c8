import { Center, Loader, Text } from "@mantine/core";
import { useEffect, useState } from "react";

import classes from "./states.module.css";

/** A spinner, shown once loading takes longer than 0.3 s. */
export function Loading({ label, isWholeScreen = false }: { label: string; isWholeScreen?: boolean }) {
  const [isSlow, setIsSlow] = useState(false);
  useEffect(() => {
    const timer = window.setTimeout(() => setIsSlow(true), 300);
    return () => window.clearTimeout(timer);
  }, []);
  return (
    <Center className={isWholeScreen ? classes.screen : classes.state} role="status" aria-busy="true">
      {isSlow && (
        <>
          <Loader size="sm" aria-hidden="true" />
          <Text size="sm" c="var(--ink-quiet)" ml="sm">
            {label}…
          </Text>
        </>
      )}
    </Center>
  );
}
