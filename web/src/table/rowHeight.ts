/** In pixels; the style sheets have the same. */
export const ROW_HEIGHT = 30;
