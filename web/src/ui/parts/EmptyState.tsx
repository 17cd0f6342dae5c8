import { Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";

import classes from "./states.module.css";

/** Shown instead of an empty result: what that means, and what to do. */
export function EmptyState({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <Stack className={classes.state} role="status" align="center" justify="center" gap="xs">
      <Text fw={600}>{title}</Text>
      <Text size="sm" c="var(--ink-quiet)" ta="center" component="div" maw="70ch">
        {children}
      </Text>
    </Stack>
  );
}
