import { Group, Text } from "@mantine/core";
import { useRef, useState } from "react";

import { shellLine } from "../../ui/copy/shellLine";
import { useCopy } from "../../ui/copy/useCopy";
import { brief } from "../../ui/format/text";
import shared from "../../ui/parts/parts.module.css";
import classes from "./about.module.css";

/** More are shown on demand, as is more of a long one. */
const MAX_ARGUMENTS_SHOWN = 100;
const MAX_CHARACTERS_SHOWN = 2000;

/** Each argument by itself: the command line does not tell a blank inside of one from one between two. */
export function Arguments({ args }: { args: readonly string[] }) {
  const [isWhole, setIsWhole] = useState(false);
  const list = useRef<HTMLOListElement>(null);
  const { message, copy } = useCopy(shellLine(args), list);
  const shown = isWhole ? args : args.slice(0, MAX_ARGUMENTS_SHOWN);
  const isCut = !isWhole && (args.length > MAX_ARGUMENTS_SHOWN || shown.some((arg) => arg.length > MAX_CHARACTERS_SHOWN));
  return (
    <>
      <ol className={classes.args} aria-label="Arguments" start={0} ref={list}>
        {shown.map((arg, index) => (
          <li key={index}>
            <code dir="auto">{arg === "" ? <i>empty</i> : brief(arg, isWhole ? Infinity : MAX_CHARACTERS_SHOWN)}</code>
          </li>
        ))}
      </ol>
      <Group gap="md">
        {isCut && (
          <button type="button" className={shared.link} onClick={() => setIsWhole(true)}>
            Show all {args.length.toLocaleString("en-US")} arguments in full
          </button>
        )}
        <button type="button" className={shared.link} onClick={copy}>
          Copy for a shell
        </button>
        <Text size="xs" role="status">
          {message}
        </Text>
      </Group>
    </>
  );
}
