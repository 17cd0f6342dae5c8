import { defineConfig } from "vite";

import { precompress } from "./vite.config.ts";

/** Of the small page at /account: built by itself, so that the large one loads nothing of it. */
const ACCOUNT_FOLDER = "../src/procession/server/page/account";

export default defineConfig({
  publicDir: false,
  plugins: [precompress(ACCOUNT_FOLDER)],
  build: {
    outDir: ACCOUNT_FOLDER,
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    rolldownOptions: { input: "account.html" },
  },
});
