import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { constants, gzipSync } from "node:zlib";

import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Where the server looks for the page; travels in the wheel, and is never committed. */
const PAGE_FOLDER = "../src/procession/server/page";

/** The running server that `npm run dev` asks. */
const SERVER = process.env.PROCESSION_URL ?? "http://127.0.0.1:7171";

const SMALL_TABS = /src\/(hosts|containers|groups|graphs|state\/grouping)\/|QueryResult|SortHeader|useSeriesColors/;

/** Beside each file its gzip, so that the server compresses nothing twice. */
export function precompress(folder: string): Plugin {
  return {
    name: "precompress",
    apply: "build",
    closeBundle() {
      for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
        const path = join(folder, name);
        if (/\.(js|css|svg)$/.test(name) && statSync(path).isFile()) {
          writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: constants.Z_BEST_COMPRESSION }));
        }
      }
    },
  };
}

/** Mantine has variables for each shade of fourteen colours. No part of the page has one of these. */
const UNUSED_COLORS = /--mantine-color-(?:pink|grape|violet|indigo|cyan|lime|orange)-[\w-]+:[^;}]*;/g;

function withoutUnusedColors(): Plugin {
  return {
    name: "without-unused-colors",
    enforce: "pre",
    transform: (code, id) => (id.includes("default-css-variables") ? code.replace(UNUSED_COLORS, "") : null),
  };
}

export default defineConfig({
  plugins: [react(), withoutUnusedColors(), precompress(PAGE_FOLDER)],
  css: {
    modules: {
      // No two files have the same name, and a hash for each would not become smaller by compression.
      generateScopedName: (name, file) => `${basename(file.replace(/\?.*/, ""), ".module.css")}-${name}`,
    },
  },
  build: {
    outDir: PAGE_FOLDER,
    emptyOutDir: true,
    // Everything else would be `data:` addresses, which the content security policy does not allow.
    assetsInlineLimit: 0,
    // One style sheet, there from the start: a part whose style has failed to load would be shown without it.
    cssCodeSplit: false,
    // The whole of it has a bound, which a test keeps.
    chunkSizeWarningLimit: 1500,
    modulePreload: { polyfill: false },
    // Parts of other programs are in it, whose licences are to be handed on with them.
    license: { fileName: "licences.md" },
    target: "es2022",
    rolldownOptions: {
      output: {
        codeSplitting: {
          includeDependenciesRecursively: false,
          // The small tabs in one file: what they have in common would be in a dozen files of some hundred bytes.
          groups: [{ name: "lists", test: SMALL_TABS }],
        },
      },
    },
  },
  server: {
    proxy: {
      "/api": {
        target: SERVER,
        changeOrigin: true,
        // The server takes changes only from its own page; here that one comes from the port of Vite.
        configure: (proxy) => {
          proxy.on("proxyReq", (request) => {
            if (request.hasHeader("origin")) request.setHeader("origin", SERVER);
          });
        },
      },
    },
  },
  test: {
    environment: "jsdom",
    setupFiles: ["./src/test/setup.ts"],
    include: ["src/**/*.test.{ts,tsx}"],
    // No test is about time, and a machine that others use is slow.
    testTimeout: 30_000,
  },
});
