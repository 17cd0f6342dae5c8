/** The current query as a file, or as a line for a shell. */

import { Button, Group, Menu, Modal, Progress as Bar, Stack, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useRef, useState } from "react";

import { get, type Params } from "../api/client";
import { isTooLargeToSort } from "../api/tooLarge";
import type { ProcessList } from "../api/types";
import { useInstant } from "../state/instant";
import { listParams, scopeOf, type Scope } from "../state/scope";
import { useView } from "../state/useView";
import { CurlCommand } from "../ui/copy/CurlCommand";
import { momentOfName, saveFile } from "../ui/file/saveFile";
import { formatCount } from "../ui/format/numbers";
import { exportRows, MAX_ROWS, type Progress } from "./exportRows";
import { FORMATS, type Format } from "./formats";

const CLOSE = { "aria-label": "Close the dialog" };

const EXPORTED: Record<Scope, string> = {
  instant: "All processes of this query that run",
  window: "All processes of this query, ended or not",
  ended: "All processes of this query that have ended",
};

/** What the file of a view has not, because the view has it not. */
const LEFT_OUT: Record<Scope, string> = {
  instant: "Those that have ended are left out.",
  window: "",
  ended: "Those that still run are left out.",
};

type Job =
  | { state: "running"; format: Format; progress: Progress }
  | { state: "done"; rows: number; total: number | null; scope: Scope }
  | { state: "failed"; format: Format; message: string };

export function ExportMenu() {
  const [view] = useView();
  const instant = useInstant();
  const [isCurlOpen, setIsCurlOpen] = useState(false);
  const scope = scopeOf(view);
  const params = listParams(view, instant);
  const { job, start, close } = useExport(params, instant.at, scope);

  return (
    <>
      <Menu position="bottom-end" shadow="md" width={260}>
        <Menu.Target>
          <Button size="xs" variant="default" leftSection={<IconDownload size={15} aria-hidden="true" />}>
            Export
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => void start("csv")}>CSV, for spreadsheets</Menu.Item>
          <Menu.Item onClick={() => void start("json")}>JSON, for programs</Menu.Item>
          <Menu.Item onClick={() => setIsCurlOpen(true)}>As curl</Menu.Item>
          <Menu.Divider />
          <Menu.Label>
            {EXPORTED[scope]}, up to {formatCount(MAX_ROWS)}
          </Menu.Label>
        </Menu.Dropdown>
      </Menu>
      <Modal opened={job !== null} onClose={close} title="Export" centered size="sm" closeButtonProps={CLOSE}>
        {job !== null && <JobState job={job} onClose={close} onRetry={(format) => void start(format)} />}
      </Modal>
      <Modal
        opened={isCurlOpen}
        onClose={() => setIsCurlOpen(false)}
        title="This query as curl"
        centered
        size="lg"
        closeButtonProps={CLOSE}
      >
        <CurlCommand path="/processes" params={{ ...params, "page[limit]": 1000 }} />
      </Modal>
    </>
  );
}

/** One export at a time: its state, and how it is started and given up. */
function useExport(params: Params, at: number, scope: Scope) {
  const [job, setJob] = useState<Job | null>(null);
  const running = useRef<AbortController | null>(null);

  const start = async (format: Format) => {
    const control = new AbortController();
    running.current = control;
    setJob({ state: "running", format, progress: { rows: 0, total: null } });
    try {
      const { file, rows, total } = await exportRows(
        FORMATS[format],
        params,
        fetchPagesOf(scope),
        (progress) => setJob({ state: "running", format, progress }),
        control.signal,
      );
      saveFile(file, `${scope === "ended" ? "ended" : "processes"}-${momentOfName(at)}.${format}`);
      setJob({ state: "done", rows, total, scope });
    } catch (error) {
      if (control.signal.aborted) return;
      setJob({ state: "failed", format, message: error instanceof Error ? error.message : String(error) });
    }
  };
  const close = () => {
    running.current?.abort();
    setJob(null);
  };
  return { job, start, close };
}

/** As the table lists it: a window that is too large to be sorted comes one after the other, by start. */
function fetchPagesOf(scope: Scope) {
  let isTooLarge = false;
  const fetchPage = (page: Params, signal: AbortSignal) => get<ProcessList>("/processes", page, signal);
  return async (page: Params, signal: AbortSignal): Promise<ProcessList> => {
    if (!isTooLarge) {
      try {
        return await fetchPage(page, signal);
      } catch (error) {
        if (scope !== "window" || page.sort !== "start" || !isTooLargeToSort(error)) throw error;
        isTooLarge = true;
      }
    }
    return fetchPage({ ...page, sort: null }, signal);
  };
}

/** What was left out since the file is full. */
function limitOf(rows: number, total: number | null): string {
  if (total === null) return rows < MAX_ROWS ? "" : " That is the limit: more may be left out. Search or filter for fewer.";
  return rows < total ? ` That is the limit: ${formatCount(total - rows)} more are left out. Search or filter for fewer.` : "";
}

interface JobStateProps {
  job: Job;
  onClose: () => void;
  onRetry: (format: Format) => void;
}

function JobState({ job, onClose, onRetry }: JobStateProps) {
  switch (job.state) {
    case "running": {
      const { rows, total } = job.progress;
      const most = total === null ? null : Math.max(1, Math.min(total, MAX_ROWS));
      return (
        <Stack gap="sm">
          <Text size="sm" role="status">
            {most === null ? "Fetching processes…" : `${formatCount(rows)} of ${formatCount(most)} processes`}
          </Text>
          <Bar value={most === null ? 0 : (100 * rows) / most} aria-label="Progress of the export" animated />
          <Group justify="flex-end">
            <Button size="xs" variant="default" onClick={onClose}>
              Cancel
            </Button>
          </Group>
        </Stack>
      );
    }
    case "done":
      return (
        <Stack gap="sm">
          <Text size="sm" role="status">
            {formatCount(job.rows)} {job.rows === 1 ? "process is" : "processes are"} in the file. {LEFT_OUT[job.scope]}
            {limitOf(job.rows, job.total)}
          </Text>
          <Group justify="flex-end">
            <Button size="xs" onClick={onClose}>
              Close
            </Button>
          </Group>
        </Stack>
      );
    case "failed":
      return (
        <Stack gap="sm">
          <Text size="sm" role="alert">
            {job.message}
          </Text>
          <Group justify="flex-end">
            <Button size="xs" variant="default" onClick={onClose}>
              Close
            </Button>
            <Button size="xs" onClick={() => onRetry(job.format)}>
              Try again
            </Button>
          </Group>
        </Stack>
      );
  }
}
