/** Views that the org has saved: open, save, overwrite, delete. */

import { Button, Popover, Stack } from "@mantine/core";
import { IconBookmarks } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { get } from "../api/client";
import type { Views } from "../api/types";
import { Loading } from "../ui/parts/Loading";
import { ErrorMessage } from "../ui/parts/ErrorMessage";
import { PresetList } from "./PresetList";
import { SAVED_VIEWS } from "./savedViewsKey";
import { SaveViewForm } from "./SaveViewForm";
import { ViewList } from "./ViewList";

export function SavedViews() {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <Popover opened={isOpen} onChange={setIsOpen} width={340} position="bottom-end" trapFocus returnFocus shadow="md">
      <Popover.Target>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconBookmarks size={15} aria-hidden="true" />}
          onClick={() => setIsOpen((before) => !before)}
        >
          Views
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label="Saved views">
        {isOpen && <Panel onDone={() => setIsOpen(false)} />}
      </Popover.Dropdown>
    </Popover>
  );
}

function Panel({ onDone }: { onDone: () => void }) {
  const views = useQuery({
    queryKey: SAVED_VIEWS,
    queryFn: ({ signal }) => get<Views>("/views", {}, signal),
    refetchOnWindowFocus: false,
  });
  return (
    <Stack gap="sm">
      {views.isError ? (
        <ErrorMessage error={views.error} onRetry={() => void views.refetch()} />
      ) : views.data === undefined ? (
        <Loading label="Loading the saved views" />
      ) : (
        <>
          <SaveViewForm views={views.data.views} />
          <ViewList views={views.data.views} onDone={onDone} />
        </>
      )}
      <PresetList onDone={onDone} />
    </Stack>
  );
}
