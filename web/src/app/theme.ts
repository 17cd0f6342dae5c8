import { createTheme, Drawer, Modal, type MantineColorsTuple } from "@mantine/core";

/** Greys of the dark page, from text to ground: a little blue, so that they do not look dirty. */
const dark: MantineColorsTuple = [
  "#e6eaf0",
  "#c5cdd7",
  "#a3afbc",
  "#7d8a99",
  "#4a5664",
  "#343e4a",
  "#262e38",
  "#1a2028",
  "#141920",
  "#0f1318",
];

export const theme = createTheme({
  colors: { dark },
  primaryColor: "blue",
  // White on the shades that Mantine would take is below the 4.5 : 1 of WCAG AA.
  primaryShade: { light: 8, dark: 8 },
  defaultRadius: "sm",
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace',
  headings: { fontWeight: "650" },
  cursorType: "pointer",
  components: {
    // The page itself does not scroll, and what locks it makes a style element that has no nonce.
    Drawer: Drawer.extend({ defaultProps: { lockScroll: false } }),
    Modal: Modal.extend({ defaultProps: { lockScroll: false } }),
  },
});
