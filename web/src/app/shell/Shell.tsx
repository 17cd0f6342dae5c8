/** The frame around the tabs: search, time, filters, and the panel of a process. */

import { Button, Drawer, Tabs } from "@mantine/core";
import { useDisclosure, useMediaQuery } from "@mantine/hooks";
import { IconBell, IconFilter } from "@tabler/icons-react";
import type { ComponentType, MouseEvent } from "react";

import { ExportMenu } from "../../export";
import { FacetPanel } from "../../facets/FacetPanel";
import { SearchBar } from "../../search/SearchBar";
import { useReconnect } from "../../state/useReconnect";
import { useView } from "../../state/useView";
import { formatView, TABS, type Tab } from "../../state/view";
import { ProcessTable } from "../../table/ProcessTable";
import { TimePicker } from "../../time/TimePicker";
import { TimeTravel } from "../../time/TimeTravel";
import { ErrorBoundary } from "../../ui/boundary/ErrorBoundary";
import { lazyPart } from "../../ui/boundary/lazyPart";
import { Logo } from "../../ui/parts/Logo";
import { SavedViews } from "../../views";
import { useTitle } from "../../state/useTitle";
import { FilterChips } from "./FilterChips";
import { KeyHelp } from "./KeyHelp";
import { PanelOverlay } from "./PanelOverlay";
import classes from "./Shell.module.css";
import { UserMenu } from "./UserMenu";

// Each tab comes when it is opened for the first time: the table is to be there at once.
const ProcessPanel = lazyPart("Loading the process", async () => (await import("../../panel")).ProcessPanel);
const TAB_PARTS: Record<Tab, { label: string; Content: ComponentType }> = {
  table: { label: "Table", Content: ProcessTable },
  hosts: { label: "Hosts", Content: lazyPart("Loading", async () => (await import("../../hosts")).HostsTab) },
  containers: { label: "Containers", Content: lazyPart("Loading", async () => (await import("../../containers")).ContainersTab) },
  groups: { label: "Groups", Content: lazyPart("Loading", async () => (await import("../../groups")).GroupsTab) },
  graphs: { label: "Graphs", Content: lazyPart("Loading", async () => (await import("../../graphs")).GraphsTab) },
  scatter: { label: "Scatter", Content: lazyPart("Loading", async () => (await import("../../scatter")).ScatterTab) },
  compare: { label: "Compare", Content: lazyPart("Loading", async () => (await import("../../compare")).CompareTab) },
  monitors: { label: "Monitors", Content: lazyPart("Loading", async () => (await import("../../monitors")).MonitorsTab) },
};

const CLOSE = { "aria-label": "Close" };

export function Shell({ onSignedOut }: { onSignedOut: () => void }) {
  const [view, patch] = useView();
  const [areFacetsOpen, facets] = useDisclosure(false);
  const isNarrow = useMediaQuery("(max-width: 900px)", window.matchMedia("(max-width: 900px)").matches);
  const { Content } = TAB_PARTS[view.tab];
  const shown = formatView(view);
  useReconnect();
  useTitle(TAB_PARTS[view.tab].label);
  const closePanel = () => patch({ selected: null });

  return (
    <div className={classes.shell}>
      <SkipLink />
      <KeyHelp />
      <ErrorBoundary resetKey={shown}>
        <Header onSignedOut={onSignedOut} />
      </ErrorBoundary>
      <ErrorBoundary resetKey={shown}>
        <TimeTravel />
      </ErrorBoundary>
      <div className={classes.bar}>
        <TabList shown={view.tab} onChange={(tab) => patch({ tab })} />
        <Actions onFacets={isNarrow ? facets.open : null} />
      </div>
      <ErrorBoundary resetKey={shown}>
        <FilterChips />
      </ErrorBoundary>
      <div className={classes.body}>
        {!isNarrow && (
          <aside className={classes.facets} aria-label="Filters">
            <ErrorBoundary resetKey={shown}>
              <FacetPanel />
            </ErrorBoundary>
          </aside>
        )}
        <main id="content" tabIndex={-1} className={classes.main}>
          <div className={classes.tab} role="tabpanel" aria-labelledby={`view-tab-${view.tab}`}>
            <ErrorBoundary resetKey={shown}>
              <Content />
            </ErrorBoundary>
          </div>
        </main>
        {view.selected !== null && (
          <PanelOverlay onClose={closePanel}>
            <ErrorBoundary resetKey={shown}>
              <ProcessPanel key={view.selected} id={view.selected} onClose={closePanel} />
            </ErrorBoundary>
          </PanelOverlay>
        )}
      </div>
      {isNarrow && (
        <Drawer opened={areFacetsOpen} onClose={facets.close} title="Filters" size={320} closeButtonProps={CLOSE}>
          <ErrorBoundary resetKey={shown}>
            <FacetPanel />
          </ErrorBoundary>
        </Drawer>
      )}
    </div>
  );
}

/** Past search, time and facets, for who goes by keys. */
function SkipLink() {
  const skip = (event: MouseEvent) => {
    // The address is that of the view: it gets no anchor.
    event.preventDefault();
    const content = document.getElementById("content");
    (content?.querySelector<HTMLElement>('[role="grid"]') ?? content)?.focus();
  };
  return (
    <a className={classes.skip} href="#content" onClick={skip}>
      Skip to the processes
    </a>
  );
}

function Header({ onSignedOut }: { onSignedOut: () => void }) {
  return (
    <header className={classes.header}>
      <h1 className={classes.title}>
        <Logo />
      </h1>
      <div className={classes.search}>
        <SearchBar />
      </div>
      <div className={classes.when}>
        <TimePicker />
      </div>
      <div className={classes.user}>
        <UserMenu onSignedOut={onSignedOut} />
      </div>
    </header>
  );
}

/** `onFacets`: null where the filters are there already. */
function Actions({ onFacets }: { onFacets: (() => void) | null }) {
  const [view, patch] = useView();
  const shown = formatView(view);
  return (
    <div className={classes.actions}>
      {onFacets && (
        <Button size="xs" variant="default" leftSection={<IconFilter size={14} />} onClick={onFacets}>
          Filters{view.tags.length > 0 ? ` (${view.tags.length})` : ""}
        </Button>
      )}
      <Button
        size="xs"
        variant="default"
        aria-label="Monitor this search"
        leftSection={<IconBell size={15} aria-hidden="true" />}
        onClick={() => patch({ tab: "monitors", selected: null, extra: { ...view.extra, monitors: "new", monitor: "", starter: "" } })}
      >
        Monitor
      </Button>
      <ErrorBoundary resetKey={shown}>
        <SavedViews />
      </ErrorBoundary>
      <ErrorBoundary resetKey={shown}>
        <ExportMenu />
      </ErrorBoundary>
    </div>
  );
}

function TabList({ shown, onChange }: { shown: Tab; onChange: (tab: Tab) => void }) {
  return (
    <Tabs
      id="view"
      value={shown}
      onChange={(tab) => onChange(TABS.find((one) => one === tab) ?? "table")}
      className={classes.tabs}
      variant="default"
    >
      <Tabs.List aria-label="Tabs">
        {TABS.map((tab) => (
          <Tabs.Tab key={tab} value={tab}>
            {TAB_PARTS[tab].label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
    </Tabs>
  );
}
