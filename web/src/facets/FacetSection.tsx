import { ActionIcon, TextInput } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { IconBan, IconChevronRight, IconX } from "@tabler/icons-react";
import { useState } from "react";

import { get } from "../api/client";
import type { Facet, Facets, FacetValue } from "../api/types";
import { anyOf, filterModeOf, termOf, type FilterMode } from "../state/filters";
import { useInstant } from "../state/instant";
import { countParams } from "../state/scope";
import { useView } from "../state/useView";
import { formatCount, formatShortCount } from "../ui/format/numbers";
import { UNREAD } from "../ui/format/processNames";
import { brief } from "../ui/format/text";
import { keyOf, namedValues, withValue } from "./facetKeys";
import classes from "./FacetPanel.module.css";
import { steadyValues } from "./steadyValues";
import { TOP_VALUES } from "./useFacets";

const MORE_VALUES = 100;

interface FacetSectionProps {
  facetKey: string;
  /** undefined where it is not counted. */
  facet: Facet | undefined;
  /** Whether it is that of the question before. */
  isStale: boolean;
  /** Whether any host reported: without that, no values mean nothing. */
  isKnown: boolean;
  isOpen: boolean;
  onToggle: () => void;
  onRemove: (() => void) | undefined;
}

/** The values of one key. */
export function FacetSection(props: FacetSectionProps) {
  const { facetKey, facet, isStale, isKnown, isOpen, onToggle, onRemove } = props;
  const [showsMore, setShowsMore] = useState(false);
  const [part, setPart] = useState("");
  const isAskedMore = isOpen && (showsMore || part !== "");
  const more = useMore(facetKey, part, isAskedMore);
  const distinct = facet?.distinct ?? 0;
  const found = isAskedMore && more.facet ? more.facet : facet;
  const steady = useSteadyValues({
    facetKey,
    facet: found,
    isStale: isAskedMore ? more.isStale : isStale,
    part,
    most: isAskedMore ? MORE_VALUES : TOP_VALUES,
  });
  const values = useWithNamed(facetKey, steady, isOpen && found !== undefined && part === "");
  const most = Math.max(1, ...values.map(({ count }) => count ?? 0));

  return (
    <section className={classes.group}>
      <Heading facetKey={facetKey} distinct={facet?.distinct} isOpen={isOpen} onToggle={onToggle} onRemove={onRemove} />
      {isOpen && (
        <>
          {(distinct > TOP_VALUES || part !== "") && (
            <TextInput
              size="xs"
              className={classes.filter}
              aria-label={`Filter the values of ${facetKey}`}
              placeholder="Find…"
              autoComplete="off"
              value={part}
              onChange={(event) => setPart(event.currentTarget.value)}
            />
          )}
          <ul className={classes.values} aria-label={`Values of ${facetKey}`}>
            {values.map(({ value, count }) => (
              <Value key={value} facetKey={facetKey} value={value} count={count} share={(count ?? 0) / most} />
            ))}
          </ul>
          {values.length === 0 && found && (
            <p className={classes.none}>{!isKnown ? "No data." : part ? "No value has that." : "None"}</p>
          )}
          {!showsMore && part === "" && distinct > TOP_VALUES && (
            <button type="button" className={classes.more} onClick={() => setShowsMore(true)}>
              {distinct > MORE_VALUES ? `Show the first ${MORE_VALUES}` : `Show all ${distinct}`}
            </button>
          )}
        </>
      )}
    </section>
  );
}

interface SteadyInput {
  facetKey: string;
  facet: Facet | undefined;
  isStale: boolean;
  part: string;
  most: number;
}

/** In the order of their counts; while the view is live, in the order that they had when it was last another question. */
function useSteadyValues({ facetKey, facet, isStale, part, most }: SteadyInput): FacetValue[] {
  const [view] = useView();
  const { isLive } = useInstant();
  const others = view.tags.filter((term) => keyOf(term) !== facetKey);
  const question = JSON.stringify([view.search, others, part, most]);
  const [order, setOrder] = useState<{ question: string; values: string[] }>({ question: "", values: [] });
  const counted = facet?.values ?? [];
  const isAll = facet !== undefined && facet.values.length === facet.distinct;
  const isHeld = isLive && order.question === question;
  const shown = isHeld ? steadyValues(order.values, counted, isAll, most) : counted.slice(0, most);
  const values = shown.map(({ value }) => value);
  if (isLive && facet !== undefined && !isStale && (!isHeld || values.join("\n") !== order.values.join("\n"))) {
    setOrder({ question, values });
  }
  return shown;
}

/** A value; `count` is undefined until it is known. */
interface ShownValue {
  value: string;
  count: number | undefined;
}

/** With the values that a filter names and that are not among these: an active filter has to be visible, with its count. */
function useWithNamed(key: string, values: readonly FacetValue[], isWanted: boolean): readonly ShownValue[] {
  const [view] = useView();
  const instant = useInstant();
  const seen = new Set(values.map(({ value }) => value.toLowerCase()));
  const missing = namedValues(view.tags, key).filter((value) => !seen.has(value.toLowerCase()));
  const others = view.tags.filter((term) => keyOf(term) !== key);
  const params = countParams({ ...view, tags: [...others, anyOf(missing.map((value) => `${key}:${value}`))] }, instant);
  const found = useQuery({
    queryKey: ["named-values", key, params],
    queryFn: ({ signal }) => get<Facets>("/facets", { ...params, keys: key, limit: 1000 }, signal),
    enabled: isWanted && missing.length > 0,
    placeholderData: keepPreviousData,
  });
  if (!isWanted || missing.length === 0) return values;
  const counts = new Map(found.data?.facets[0]?.values.map(({ value, count }) => [value.toLowerCase(), count]));
  const isCounted = found.data !== undefined && !found.isPlaceholderData;
  const named = missing.map((value) => {
    const count = counts.get(value.toLowerCase());
    return { value, count: count ?? (isCounted ? 0 : undefined) };
  });
  return [...named, ...values];
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

function Value({ facetKey, value, count, share }: ShownValue & { facetKey: string; share: number }) {
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
        <span className={classes.count}>{count === undefined ? "…" : formatShortCount(count)}</span>
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

/** More of the values, or those that have a text in them. */
function useMore(key: string, part: string, isWanted: boolean): { facet: Facet | undefined; isStale: boolean } {
  const [view] = useView();
  const params = countParams({ ...view, tags: view.tags.filter((term) => keyOf(term) !== key) }, useInstant());
  const prefix = part === "" ? "" : `*${part}`;
  const found = useQuery({
    queryKey: ["facet", key, prefix, params],
    queryFn: ({ signal }) => get<Facets>("/facets", { ...params, keys: key, prefix, limit: MORE_VALUES }, signal),
    enabled: isWanted,
    placeholderData: keepPreviousData,
  });
  return { facet: found.data?.facets[0], isStale: found.isPlaceholderData };
}
