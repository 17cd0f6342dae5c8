import { filterModeOf, termOf, withFilterMode } from "../../state/filters";
import { useView } from "../../state/useView";
import { brief } from "../../ui/format/text";
import classes from "./about.module.css";

/** Each is a button: once, its processes only; once more, all again. */
export function Tags({ tags, label }: { tags: readonly string[]; label: string }) {
  const [view, patch] = useView();
  return (
    <ul className={classes.tags} aria-label={label}>
      {tags.map((tag) => {
        const term = termOf(tag);
        const isOn = filterModeOf(view.tags, term) === "with";
        return (
          <li key={tag}>
            <button
              type="button"
              className={classes.tag}
              aria-pressed={isOn}
              title={isOn ? `Remove the filter by ${brief(tag, 200)}` : `Filter by ${brief(tag, 200)}`}
              onClick={() => patch({ tags: withFilterMode(view.tags, term, isOn ? null : "with") })}
            >
              <bdi>{brief(tag)}</bdi>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
