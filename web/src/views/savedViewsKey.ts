/** Under which the answers about saved views are kept. */
export const SAVED_VIEWS = ["views"];
