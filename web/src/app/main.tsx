import "./mantineStyles";
import "./theme.css";

import { localStorageColorSchemeManager, MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { ApiError } from "../api/client";
import { ErrorBoundary } from "../ui/boundary/ErrorBoundary";
import { App } from "./App";
import { styleNonce } from "./nonce";
import { theme } from "./theme";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // What was asked of an instant or a window stays true; what is of now asks for another instant.
      staleTime: Infinity,
      gcTime: 60_000,
      refetchOnWindowFocus: false,
      retry: (failures, error) => failures < 2 && error instanceof ApiError && [0, 502, 503].includes(error.status),
    },
  },
});

createRoot(root).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      colorSchemeManager={localStorageColorSchemeManager({ key: "procession-theme" })}
      getStyleNonce={styleNonce}
    >
      <QueryClientProvider client={queries}>
        <ErrorBoundary resetKey="">
          <App />
        </ErrorBoundary>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
