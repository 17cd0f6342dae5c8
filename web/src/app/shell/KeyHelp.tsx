import { Kbd, Modal } from "@mantine/core";
import { useEffect, useState } from "react";

import { isEditable } from "../../ui/parts/isEditable";
import classes from "./KeyHelp.module.css";

const KEYS: readonly (readonly [keys: string, what: string])[] = [
  ["/", "Go to the search"],
  ["↓ ↑", "Go through the table"],
  ["Page Up, Page Down", "A screen up or down"],
  ["Home, End", "The first or the last row"],
  ["Enter", "Open the process"],
  ["Ctrl+click, middle click", "Open the process in another tab"],
  ["↓ ↑ beside an open process", "Open the next or the previous one"],
  ["Esc", "Close the process, or leave the row"],
  ["Alt+← Alt+→", "Move a column, from its header"],
  ["Shift+← Shift+→", "Make a column narrower or wider, from its header"],
  ["← →", "Along a graph, the slider or the scatter plot"],
  ["?", "This list"],
];
const CLOSE = { "aria-label": "Close the list of keys" };

/** The keys that the page knows, shown by `?`. */
export function KeyHelp() {
  const [isOpen, setIsOpen] = useState(false);
  useEffect(() => {
    const show = (event: KeyboardEvent) => {
      if (event.key === "?" && !event.defaultPrevented && !isEditable(event.target)) setIsOpen(true);
    };
    window.addEventListener("keydown", show);
    return () => window.removeEventListener("keydown", show);
  }, []);
  return (
    <Modal opened={isOpen} onClose={() => setIsOpen(false)} title="Keys" centered closeButtonProps={CLOSE}>
      <dl className={classes.keys}>
        {KEYS.map(([keys, what]) => (
          <div key={keys} className={classes.line}>
            <dt>
              <Kbd>{keys}</Kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
