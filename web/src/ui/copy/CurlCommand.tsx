import { Button, Code, Group, Stack, Text } from "@mantine/core";
import { useRef } from "react";

import { PREFIX, type Params } from "../../api/client";
import classes from "./copy.module.css";
import { curlCommand } from "./curlCommand";
import { useCopy } from "./useCopy";

interface CurlCommandProps {
  path: string;
  params?: Params;
}

/** A request as a line for a shell, to look at and to copy. */
export function CurlCommand({ path, params = {} }: CurlCommandProps) {
  const code = useRef<HTMLPreElement>(null);
  const named = Object.entries(params)
    .filter(([, value]) => value !== undefined && value !== null && value !== "")
    .map(([name, value]) => [name, String(value)] as const);
  const line = curlCommand(window.location.origin, PREFIX + path, named);
  const { message, copy } = useCopy(line, code);
  return (
    <Stack gap="xs">
      <Code block ref={code} className={classes.code} tabIndex={0} role="region" aria-label="Command">
        {line}
      </Code>
      <Text size="xs" c="var(--ink-quiet)">
        $DD_APP_KEY is an application key: the page does not know yours. What is not plain text is percent-encoded, so
        that the line is safe to paste.
      </Text>
      <Group justify="flex-end">
        <Text size="xs" role="status">
          {message}
        </Text>
        <Button size="xs" onClick={copy} data-autofocus>
          Copy
        </Button>
      </Group>
    </Stack>
  );
}
