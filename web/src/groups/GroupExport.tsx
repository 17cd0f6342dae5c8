/** The groups as a file: all of them, in the order and with the columns that are shown. */

import { Button, Menu, Modal, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { get, type Params } from "../api/client";
import type { Groups } from "../api/types";
import { CurlCommand } from "../ui/copy/CurlCommand";
import { momentOfName, saveFile } from "../ui/file/saveFile";
import { formatCount } from "../ui/format/numbers";
import { groupParams, type GroupView } from "./groupColumns";
import { groupFile, type Format } from "./groupFile";

const MAX_GROUPS = 10_000;
const CLOSE = { "aria-label": "Close the dialog" };

/** `params`: those of the instant and its filters. */
export function GroupExport({ view, params }: { view: GroupView; params: Params }) {
  const [isCurlOpen, setIsCurlOpen] = useState(false);
  const asked = { ...params, ...groupParams(view), limit: MAX_GROUPS };
  const saving = useMutation({
    mutationFn: async (format: Format) => {
      const found = await get<Groups>("/groups", asked);
      saveFile(groupFile(format, view, found.data), `groups-${momentOfName(found.meta.at)}.${format}`);
      return found;
    },
  });
  return (
    <>
      <Menu position="bottom-start" shadow="md" width={260}>
        <Menu.Target>
          <Button
            size="xs"
            variant="default"
            loading={saving.isPending}
            leftSection={<IconDownload size={15} aria-hidden="true" />}
          >
            Export groups
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => saving.mutate("csv")}>CSV, for spreadsheets</Menu.Item>
          <Menu.Item onClick={() => saving.mutate("json")}>JSON, for programs</Menu.Item>
          <Menu.Item onClick={() => setIsCurlOpen(true)}>As curl</Menu.Item>
          <Menu.Divider />
          <Menu.Label>All groups, up to {formatCount(MAX_GROUPS)}</Menu.Label>
        </Menu.Dropdown>
      </Menu>
      {saving.isError && (
        <Text size="xs" role="alert">
          {saving.error.message}
        </Text>
      )}
      {saving.isSuccess && <SavedNote {...countsOf(saving.data)} />}
      <Modal
        opened={isCurlOpen}
        onClose={() => setIsCurlOpen(false)}
        title="These groups as curl"
        centered
        size="lg"
        closeButtonProps={CLOSE}
      >
        <CurlCommand path="/groups" params={asked} />
      </Modal>
    </>
  );
}

function countsOf(found: Groups) {
  return { saved: found.data.length, left: found.meta.groups - found.data.length };
}

function SavedNote({ saved, left }: { saved: number; left: number }) {
  return (
    <Text size="xs" role="status">
      {formatCount(saved)} {saved === 1 ? "group is" : "groups are"} in the file.
      {left > 0 && ` That is the limit: ${formatCount(left)} more are left out. Search or filter for fewer.`}
    </Text>
  );
}
