import { Text } from "@mantine/core";

import { ViewLink } from "../state/links/ViewLink";
import { PRESETS } from "./presets";
import classes from "./views.module.css";

/** Views that are there already. Each is a link. */
export function PresetList({ onDone }: { onDone: () => void }) {
  return (
    <div>
      <Text size="xs" fw={600} id="preset-views">
        Ready-made
      </Text>
      <ul className={classes.presets} aria-labelledby="preset-views">
        {PRESETS.map(({ label, view }) => (
          <li key={label}>
            <ViewLink to={{ ...view, tab: "table", selected: null }} onFollow={onDone}>
              {label}
            </ViewLink>
          </li>
        ))}
      </ul>
    </div>
  );
}
