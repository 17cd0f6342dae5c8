import "@testing-library/jest-dom/vitest";

import { cleanup, configure } from "@testing-library/react";
import { afterEach, vi } from "vitest";

afterEach(cleanup);

// No test is about time, and a machine that others use is slow.
configure({ asyncUtilTimeout: 10_000 });

// What Mantine asks of a browser, and jsdom has not.
window.matchMedia = (query: string) => ({
  matches: false,
  media: query,
  onchange: null,
  /* eslint-disable @typescript-eslint/no-deprecated -- Mantine falls back on them. */
  addListener: vi.fn(),
  removeListener: vi.fn(),
  /* eslint-enable @typescript-eslint/no-deprecated */
  addEventListener: vi.fn(),
  removeEventListener: vi.fn(),
  dispatchEvent: vi.fn(),
});

class NoResizes implements ResizeObserver {
  observe() {
    // Nothing is laid out here.
  }
  unobserve() {
    // As above.
  }
  disconnect() {
    // As above.
  }
}
window.ResizeObserver = NoResizes;
Element.prototype.scrollIntoView = vi.fn();
