import { ActionIcon, TextInput } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { IconBan, IconChevronRight, IconX } from "@tabler/icons-react";
import { useState } from "react";

import { get } from "../api/client";
import type { Facet, Facets, FacetValue } from "../api/types";
import { filterModeOf, termOf, type FilterMode } from "../state/filters";
import { useInstant } from "../state/instant";
import { countParams } from "../state/scope";
import { useView } from "../state/useView";
import { formatCount, formatShortCount } from "../ui/format/numbers";
import { UNREAD } from "../ui/format/processNames";
import { brief } from "../ui/format/text";
import { keyOf, withValue } from "./facetKeys";
import classes from "./FacetPanel.module.css";
import { TOP_VALUES } from "./useFacets";

const MORE_VALUES = 100;

interface FacetSectionProps {
  facetKey: string;
  /** undefined where it is not counted. */
  facet: Facet | undefined;
  /** Whether any host reported: without that, no values mean nothing. */
  isKnown: boolean;
  isOpen: boolean;
  onToggle: () => void;
  onRemove: (() => void) | undefined;
}

/** The values of one key. */
export function FacetSection({ facetKey, facet, isKnown, isOpen, onToggle, onRemove }: FacetSectionProps) {
  const [view] = useView();
  const [showsMore, setShowsMore] = useState(false);
  const [prefix, setPrefix] = useState("");
  const more = useMore(facetKey, prefix, isOpen && (showsMore || prefix !== ""));
  const distinct = facet?.distinct ?? 0;
  const found = more ?? facet;
  const values = withFiltered(found?.values ?? [], facetKey, view.tags, prefix);
  const most = Math.max(1, ...values.map(({ count }) => count));

  return (
    <section className={classes.group}>
      <Heading facetKey={facetKey} distinct={facet?.distinct} isOpen={isOpen} onToggle={onToggle} onRemove={onRemove} />
      {isOpen && (
        <>
          {(distinct > TOP_VALUES || prefix !== "") && (
            <TextInput
              size="xs"
              className={classes.filter}
              aria-label={`Filter the values of ${facetKey}`}
              placeholder="Begins with…"
              autoComplete="off"
              value={prefix}
              onChange={(event) => setPrefix(event.currentTarget.value)}
            />
          )}
          <ul className={classes.values}>
            {values.map(({ value, count }) => (
              <Value key={value} facetKey={facetKey} value={value} count={count} share={count / most} />
            ))}
          </ul>
          {values.length === 0 && found && (
            <p className={classes.none}>
              {!isKnown ? "No data." : prefix ? "No value begins with that." : "None"}
            </p>
          )}
          {!showsMore && prefix === "" && distinct > TOP_VALUES && (
            <button type="button" className={classes.more} onClick={() => setShowsMore(true)}>
              {distinct > MORE_VALUES ? `Show the first ${MORE_VALUES}` : `Show all ${distinct}`}
            </button>
          )}
        </>
      )}
    </section>
  );
}

interface HeadingProps extends Pick<FacetSectionProps, "facetKey" | "isOpen" | "onToggle" | "onRemove"> {
  /** Its values; undefined where they are not counted. */
  distinct: number | undefined;
}

function Heading({ facetKey, distinct, isOpen, onToggle, onRemove }: HeadingProps) {
  const isCounted = distinct !== undefined;
  return (
    <h2 className={classes.heading}>
      <button
        type="button"
        className={classes.toggle}
        aria-expanded={isOpen}
        onClick={onToggle}
        title={isCounted ? `${formatCount(distinct)} values` : undefined}
      >
        <IconChevronRight size={14} className={classes.chevron} aria-hidden="true" />
        <span className={classes.name}>{facetKey}</span>
        {isCounted && <span className={classes.count}>{formatShortCount(distinct)}</span>}
      </button>
      {onRemove && (
        <ActionIcon size="sm" variant="subtle" color="gray" aria-label={`Remove ${facetKey}`} onClick={onRemove}>
          <IconX size={12} />
        </ActionIcon>
      )}
    </h2>
  );
}

function Value({ facetKey, value, count, share }: FacetValue & { facetKey: string; share: number }) {
  const [view, patch] = useView();
  const term = termOf(`${facetKey}:${value}`);
  const mode = filterModeOf(view.tags, term);
  const set = (next: FilterMode) => patch({ tags: withValue(view.tags, term, next) });
  const text = brief(value, 120);
  return (
    <li className={classes.value} data-check={mode ?? undefined}>
      <span className={classes.share} style={{ width: `${Math.max(share * 100, 1)}%` }} aria-hidden="true" />
      <label className={classes.choose} title={text}>
        <input
          type="checkbox"
          checked={mode === "with"}
          aria-label={`Only ${facetKey}:${text}`}
          onChange={() => set(mode === "with" ? null : "with")}
        />
        <span className={classes.text}>{text || (facetKey === "command" ? UNREAD : "(empty)")}</span>
        <span className={classes.count}>{formatShortCount(count)}</span>
      </label>
      <button
        type="button"
        className={classes.exclude}
        aria-label={`Exclude ${facetKey}:${text}`}
        aria-pressed={mode === "without"}
        title={mode === "without" ? "Excluded" : "Exclude"}
        onClick={() => set(mode === "without" ? null : "without")}
      >
        <IconBan size={13} aria-hidden="true" />
      </button>
    </li>
  );
}

function useMore(key: string, prefix: string, isWanted: boolean): Facet | undefined {
  const [view] = useView();
  const params = countParams({ ...view, tags: view.tags.filter((term) => keyOf(term) !== key) }, useInstant());
  const found = useQuery({
    queryKey: ["facet", key, prefix, params],
    queryFn: ({ signal }) => get<Facets>("/facets", { ...params, keys: key, prefix, limit: MORE_VALUES }, signal),
    enabled: isWanted,
    placeholderData: keepPreviousData,
  });
  return isWanted ? found.data?.facets[0] : undefined;
}

/** With the values that a filter names and that are not among the most frequent: an active filter has to be visible. */
function withFiltered(
  values: readonly FacetValue[],
  key: string,
  tags: readonly string[],
  prefix: string,
): readonly FacetValue[] {
  if (prefix !== "") return values;
  const seen = new Set(values.map(({ value }) => value.toLowerCase()));
  const filtered = tags
    .filter((term) => keyOf(term) === key && term.includes(":"))
    .map((term) => term.slice(term.indexOf(":") + 1))
    .filter((value) => !value.includes("*") && !seen.has(value.toLowerCase()));
  return [...filtered.map((value) => ({ value, count: 0 })), ...values];
}
