import { ActionIcon } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useRef, type ReactNode } from "react";

import shared from "../parts/parts.module.css";
import { useCopy } from "./useCopy";

interface CopyableProps {
  text: string;
  /** Which text that is: "the host". */
  what: string;
  /** How it is shown. */
  children: ReactNode;
}

/** A text with a button behind it that copies it. */
export function Copyable({ text, what, children }: CopyableProps) {
  const shown = useRef<HTMLSpanElement>(null);
  const { message, copy } = useCopy(text, shown);
  const Icon = message === "" ? IconCopy : IconCheck;
  return (
    <>
      <span ref={shown}>{children}</span>{" "}
      <ActionIcon
        size={24}
        variant="subtle"
        color="gray"
        aria-label={`Copy ${what}`}
        title={message === "" ? `Copy ${what}` : message}
        onClick={copy}
      >
        <Icon size={13} aria-hidden="true" />
      </ActionIcon>
      <span role="status" className={shared.visuallyHidden}>
        {message}
      </span>
    </>
  );
}
