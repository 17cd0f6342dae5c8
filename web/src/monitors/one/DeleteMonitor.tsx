import { Button, Group, Modal, Text } from "@mantine/core";
import { useState } from "react";

import { send } from "../../api/client";
import type { Monitor } from "../../api/monitors";
import { brief } from "../../ui/format/text";
import { Problem } from "../shared/Problem";
import { useChange } from "../shared/useMonitorApi";

/** Deletes a monitor once that is confirmed. */
export function DeleteMonitor({ monitor, onDeleted }: { monitor: Monitor; onDeleted: () => void }) {
  const [isAsking, setIsAsking] = useState(false);
  const deleting = useChange(() => send("DELETE", `/api/v1/monitor/${monitor.id}`), onDeleted);
  return (
    <>
      <Button size="xs" variant="default" onClick={() => setIsAsking(true)}>
        Delete
      </Button>
      <Modal
        opened={isAsking}
        onClose={() => setIsAsking(false)}
        title="Delete this monitor?"
        centered
        size="sm"
        closeButtonProps={{ "aria-label": "Close the dialog" }}
      >
        <Text size="sm" mb="sm">
          <bdi>{brief(monitor.name, 200)}</bdi>, its states and its mutes. What happened stays.
        </Text>
        <Problem error={deleting.error} />
        <Group justify="flex-end" mt="sm">
          <Button size="xs" variant="default" onClick={() => setIsAsking(false)}>
            Keep
          </Button>
          <Button size="xs" color="red" loading={deleting.isPending} onClick={() => deleting.mutate(undefined)}>
            Delete
          </Button>
        </Group>
      </Modal>
    </>
  );
}
