import { Button, Code, Group, Modal, Stack, Text } from "@mantine/core";
import { useRef, useState } from "react";

import { PREFIX, type Params } from "../api/client";
import { curlCommand } from "./curl";
import classes from "./panel.module.css";

interface CurlDialogProps {
  isOpen: boolean;
  onClose: () => void;
  title: string;
  path: string;
  params?: Params;
}

/** A request as a line for a shell, to look at and to copy. */
export function CurlDialog({ isOpen, onClose, title, path, params = {} }: CurlDialogProps) {
  const [state, setState] = useState<"" | "copied" | "selected">("");
  const code = useRef<HTMLElement>(null);
  const named = Object.entries(params)
    .filter(([, value]) => value !== undefined && value !== null && value !== "")
    .map(([name, value]) => [name, String(value)] as const);
  const line = curlCommand(window.location.origin, PREFIX + path, named);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(line);
      setState("copied");
    } catch {
      // Over plain HTTP from another machine a browser gives no clipboard: one key is left to press.
      if (code.current) window.getSelection()?.selectAllChildren(code.current);
      setState("selected");
    }
  };
  return (
    <Modal opened={isOpen} onClose={onClose} title={title} centered size="lg" onExitTransitionEnd={() => setState("")}>
      <Stack gap="sm">
        <Code block ref={code as never} className={classes.code} tabIndex={0} aria-label="Command">
          {line}
        </Code>
        <Text size="xs" c="var(--ink-quiet)">
          $DD_APP_KEY is an application key: the page does not know yours. What is not plain text is percent-encoded, so
          that the line is safe to paste.
        </Text>
        <Group justify="flex-end">
          <Text size="xs" role="status">
            {state === "copied" && "Copied."}
            {state === "selected" && "Selected: press Ctrl+C."}
          </Text>
          <Button size="xs" onClick={() => void copy()} data-autofocus>
            Copy
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
