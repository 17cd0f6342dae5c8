import { ActionIcon, Button, Checkbox, Popover } from "@mantine/core";
import { IconChevronDown, IconChevronUp, IconColumns } from "@tabler/icons-react";
import type { ReactNode } from "react";

import { useView } from "../../state/useView";
import { DEFAULT_COLUMNS } from "../../state/view";
import { AddTagColumn } from "./AddTagColumn";
import { COLUMNS, moved, type Column } from "./columns";
import classes from "./columns.module.css";

/** Which columns are shown, and in which order. */
export function ColumnMenu({ columns }: { columns: readonly Column[] }) {
  const [view, patch] = useView();
  const ids = columns.map(({ id }) => id);
  const others = COLUMNS.filter(({ id }) => !ids.includes(id));
  const set = (next: string[]) => patch({ columns: next }, "replace");
  const onReset = () => {
    const extra = Object.fromEntries(Object.entries(view.extra).filter(([key]) => key !== "widths"));
    patch({ columns: DEFAULT_COLUMNS, extra }, "replace");
  };

  return (
    <Popover position="bottom-end" withinPortal shadow="md" trapFocus>
      <Popover.Target>
        <Button size="xs" h={28} variant="default" leftSection={<IconColumns size={14} />}>
          Columns
        </Button>
      </Popover.Target>
      <Popover.Dropdown className={classes.menu}>
        <ShownColumns columns={columns} onChange={set} />
        <AddTagColumn shown={ids} onAdd={(id) => set([...ids, id])} />
        <ul className={classes.columnList} aria-label="More columns">
          {others.map((column) => (
            <li key={column.id} className={classes.columnItem}>
              <Checkbox
                size="xs"
                label={column.label}
                checked={false}
                onChange={() => set([...ids, column.id])}
              />
            </li>
          ))}
        </ul>
        <Button size="compact-xs" variant="subtle" onClick={onReset}>
          Reset to defaults
        </Button>
      </Popover.Dropdown>
    </Popover>
  );
}

interface ShownColumnsProps {
  columns: readonly Column[];
  onChange: (ids: string[]) => void;
}

/** In their order, each with a way to move it and to leave it out. */
function ShownColumns({ columns, onChange }: ShownColumnsProps) {
  const ids = columns.map(({ id }) => id);
  return (
    <ul className={classes.columnList} aria-label="Columns shown">
      {columns.map((column, index) => (
        <li key={column.id} className={classes.columnItem}>
          <Checkbox
            size="xs"
            label={column.label}
            checked
            disabled={ids.length === 1}
            onChange={() => onChange(ids.filter((id) => id !== column.id))}
          />
          <MoveButton
            label={`Move ${column.label} to the left`}
            isAtEnd={index === 0}
            onMove={() => onChange(moved(ids, column.id, index - 1))}
          >
            <IconChevronUp size={14} />
          </MoveButton>
          <MoveButton
            label={`Move ${column.label} to the right`}
            isAtEnd={index === ids.length - 1}
            onMove={() => onChange(moved(ids, column.id, index + 1))}
          >
            <IconChevronDown size={14} />
          </MoveButton>
        </li>
      ))}
    </ul>
  );
}

interface MoveButtonProps {
  label: string;
  /** Whether the column can be moved no further. */
  isAtEnd: boolean;
  onMove: () => void;
  children: ReactNode;
}

function MoveButton({ label, isAtEnd, onMove, children }: MoveButtonProps) {
  return (
    <ActionIcon
      size="sm"
      variant="subtle"
      color="gray"
      aria-label={label}
      // Not disabled: that would take the focus away.
      aria-disabled={isAtEnd}
      data-disabled={isAtEnd || undefined}
      onClick={onMove}
    >
      {children}
    </ActionIcon>
  );
}
