/** Sends what a monitor would send, marked as a test, and shows what becomes of it. */

import { Button, Menu } from "@mantine/core";
import { IconSend } from "@tabler/icons-react";

import { send } from "../../api/client";
import type { MonitorBody, SentTest } from "../../api/monitors";
import { TestResult } from "../channels/TestResult";
import { Problem } from "../shared/Problem";
import { useChange } from "../shared/useMonitorApi";

const STATES = [
  ["Alert", "As an alert"],
  ["Warn", "As a warning"],
  ["No Data", "As no data"],
  ["OK", "As a recovery"],
] as const;

/** Of a monitor that is saved, by its id, or of one that is being written. */
export function SendTest({ monitorId, monitor }: { monitorId?: number; monitor?: MonitorBody }) {
  const testing = useChange((state: string) =>
    send<SentTest>("POST", "/monitors/test", { ...(monitor ? { monitor } : { monitor_id: monitorId }), state }),
  );
  return (
    <>
      <Menu position="bottom-start" withinPortal>
        <Menu.Target>
          <Button
            size="xs"
            variant="default"
            loading={testing.isPending}
            leftSection={<IconSend size={14} aria-hidden="true" />}
          >
            Send a test
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {STATES.map(([state, label]) => (
            <Menu.Item key={state} onClick={() => testing.mutate(state)}>
              {label}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <Problem error={testing.error} />
      {testing.data && <TestResult test={testing.data} />}
    </>
  );
}
