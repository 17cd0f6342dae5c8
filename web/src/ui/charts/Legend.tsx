import { brief } from "../format/text";
import classes from "./charts.module.css";
import { colorOf, type Scheme } from "./palette";

export interface LegendEntry {
  key: string;
  label: string;
  colorIndex: number | null;
  isShown: boolean;
  value?: string;
}

interface LegendProps {
  entries: readonly LegendEntry[];
  scheme: Scheme;
  /** What a click does; without it the legend is only read. */
  onToggle?: ((key: string) => void) | undefined;
  /** The title of an entry that says what a click does: `Filter by java`. */
  titleOf?: (label: string) => string;
}

export function Legend({ entries, scheme, onToggle, titleOf }: LegendProps) {
  return (
    <ul className={classes.legend}>
      {entries.map((entry) => {
        const content = (
          <>
            <svg width="10" height="10" aria-hidden="true" className={classes.swatch}>
              <rect width="10" height="10" rx="2" fill={colorOf(entry.colorIndex, scheme)} />
            </svg>
            <bdi className={classes.label}>{brief(entry.label)}</bdi>
            {entry.value !== undefined && <span className={classes.value}>{entry.value}</span>}
          </>
        );
        return (
          <li key={entry.key}>
            {onToggle === undefined ? (
              <span className={classes.entry}>{content}</span>
            ) : (
              <button
                type="button"
                className={classes.entry}
                aria-pressed={titleOf === undefined ? entry.isShown : undefined}
                title={
                  titleOf === undefined ? `${entry.isShown ? "Hide" : "Show"} ${brief(entry.label)}` : titleOf(entry.label)
                }
                data-hidden={!entry.isShown || undefined}
                onClick={() => onToggle(entry.key)}
              >
                {content}
              </button>
            )}
          </li>
        );
      })}
    </ul>
  );
}
