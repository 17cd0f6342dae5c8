import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";

import { get } from "../api/client";
import { patchView } from "../state/useView";
import { answering, failure, renderPart } from "../test/rendering";
import { SearchBar } from "./SearchBar";

const HINT = "search: 'host:' ends before the parenthesis; is '(host:a OR host:b)' meant?";

beforeEach(() => window.history.replaceState(null, "", "/?s=host:(a+OR+b)"));

test("what another language would have meant is shown below the search", async () => {
  answering({ "/processes": { meta: { known: true, hints: [HINT] }, data: [] } });
  renderPart(<SearchBar />);

  await get("/processes", { search: "host:(a OR b)", tags: "" });

  expect(await screen.findByRole("status", { name: "Hints" })).toHaveTextContent(HINT);
});

test("an answer in which something was found takes it away", async () => {
  const answers = { "/processes": { meta: { known: true, hints: [HINT] }, data: [] } };
  answering(answers);
  renderPart(<SearchBar />);
  await get("/processes", { search: "host:(a OR b)", tags: "" });
  await screen.findByText(HINT);
  answering({ "/processes": { meta: { known: true }, data: [] } });

  await get("/processes", { search: "host:(a OR b)", tags: "" });

  await waitFor(() => expect(screen.queryByText(HINT)).toBeNull());
});

test("a hint steers nothing of the page", async () => {
  answering({ "/processes": { meta: { hints: ["search: \u202e<b>x</b>"] }, data: [] } });
  renderPart(<SearchBar />);

  await get("/processes", { search: "host:(a OR b)", tags: "" });

  expect((await screen.findByRole("status", { name: "Hints" })).textContent).toBe("search: ⟨202E⟩<b>x</b>");
});

/** At once, however slow the machine is. */
function type(input: HTMLElement, text: string): void {
  fireEvent.change(input, { target: { value: text } });
  fireEvent.keyDown(input, { key: "Enter" });
}

const CHECKED = { language: "procession", compares: [], words: [] };

test("a search becomes that of the view only once it can be understood", async () => {
  const answers = {
    "/search": ({ params }: { params: Record<string, string> }) =>
      params.search === "java (" ? failure(400, "Invalid query parameter search: expected a term and found the end at character 7") : CHECKED,
  };
  window.history.replaceState(null, "", "/?s=before");
  const asked = answering(answers);
  renderPart(<SearchBar />);
  const input = screen.getByRole("combobox");

  type(input, "java (");

  expect(await screen.findByRole("alert")).toHaveTextContent("The last results stay.");
  expect(window.location.search).toBe("?s=before");
  expect(asked.find(({ path }) => path === "/search")?.params).toMatchObject({ language: "procession" });
  type(input, "java (nginx)");
  await waitFor(() => expect(window.location.search).toBe("?s=java+(nginx)"));
  expect(screen.queryByRole("alert")).toBeNull();
});

test("a search is taken where the server cannot be asked", async () => {
  window.history.replaceState(null, "", "/");
  answering({ "/search": failure(503, "busy") });
  renderPart(<SearchBar />);

  type(screen.getByRole("combobox"), "java");

  await waitFor(() => expect(window.location.search).toBe("?s=java"));
});

test("a view that somebody goes to meanwhile stays", async () => {
  window.history.replaceState(null, "", "/?s=before");
  let answer = (): void => undefined;
  answering({ "/search": () => CHECKED });
  const fetched = window.fetch.bind(window);
  vi.stubGlobal("fetch", (input: RequestInfo | URL, init?: RequestInit) =>
    new Promise((resolve) => (answer = () => resolve(fetched(input, init)))),
  );
  renderPart(<SearchBar />);

  type(screen.getByRole("combobox"), "before more");
  act(() => patchView({ search: "elsewhere" }));
  answer();
  await act(async () => Promise.resolve());

  expect(window.location.search).toBe("?s=elsewhere");
});
