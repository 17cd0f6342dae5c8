import type { MouseEvent, ReactNode } from "react";

import shared from "../../ui/parts/parts.module.css";
import { addressOf, patchView } from "../useView";
import type { ViewState } from "../view";

interface ViewLinkProps {
  to: Partial<ViewState>;
  /** Opens in another tab: what is being written here is not lost. */
  isApart?: boolean;
  label?: string;
  title?: string;
  className?: string;
  /** Once the view has changed, in this tab. */
  onFollow?: () => void;
  children: ReactNode;
}

/** A link to another view, that can also be opened in another tab. */
export function ViewLink({ to, isApart = false, label, title, className = "", onFollow, children }: ViewLinkProps) {
  const follow = (event: MouseEvent) => {
    if (isApart || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    patchView(to);
    onFollow?.();
  };
  return (
    <a
      className={`${shared.link} ${className}`}
      href={addressOf(to)}
      aria-label={label}
      title={title}
      onClick={follow}
      {...(isApart ? { target: "_blank", rel: "noreferrer" } : {})}
    >
      {children}
    </a>
  );
}
