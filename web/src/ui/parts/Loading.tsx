import { Center, Loader, Text } from "@mantine/core";

import classes from "./states.module.css";
import { useIsSlow } from "./useIsSlow";

/** A spinner, shown once loading takes longer than 0.3 s. */
export function Loading({ label, isWholeScreen = false }: { label: string; isWholeScreen?: boolean }) {
  const isSlow = useIsSlow(true, 300);
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
