/** The current query as a file, or as a line for a shell. */

import { Button, Group, Menu, Modal, Progress as Bar, Stack, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useRef, useState } from "react";

import { get, type Params } from "../api/client";
import type { ProcessList } from "../api/types";
import { instantParams, useInstant } from "../state/instant";
import { useView } from "../state/useView";
import { CurlCommand } from "../ui/copy/CurlCommand";
import { formatCount } from "../ui/format/numbers";
import { exportRows, MAX_ROWS, type Progress } from "./exportRows";
import { FORMATS, type Format } from "./formats";

const CLOSE = { "aria-label": "Close the dialog" };

type Job =
  | { state: "running"; format: Format; progress: Progress }
  | { state: "done"; rows: number; total: number }
  | { state: "failed"; format: Format; message: string };

export function ExportMenu() {
  const [view] = useView();
  const instant = useInstant();
  const [isCurlOpen, setIsCurlOpen] = useState(false);
  const params = { ...instantParams(view, instant), sort: view.sort };
  const { job, start, close } = useExport(params, instant.at);

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
          <Menu.Label>All processes of this query, up to {formatCount(MAX_ROWS)}</Menu.Label>
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
function useExport(params: Params, at: number) {
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
        (page, signal) => get<ProcessList>("/processes", page, signal),
        (progress) => setJob({ state: "running", format, progress }),
        control.signal,
      );
      save(file, `processes-${new Date(at * 1000).toISOString().slice(0, 19).replaceAll(":", "")}Z.${format}`);
      setJob({ state: "done", rows, total });
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
            {formatCount(job.rows)} {job.rows === 1 ? "process is" : "processes are"} in the file.
            {job.rows < job.total &&
              ` That is the limit: ${formatCount(job.total - job.rows)} more are left out. Search or filter for fewer.`}
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

function save(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The download has begun by then, and holds the file by itself.
  window.setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
