export interface ProcessPanelProps {
  /** Of the process that is shown. */
  id: string;
  onClose: () => void;
}

export function ProcessPanel(_: ProcessPanelProps) {
  return null;
}
