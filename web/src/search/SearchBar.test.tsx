import { screen, waitFor } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";

import { get } from "../api/client";
import { answering, renderPart } from "../test/rendering";
import { SearchBar } from "./SearchBar";

const HINT = "search: 'host:' ends before the parenthesis; is '(host:a OR host:b)' meant?";

beforeEach(() => window.history.replaceState(null, "", "/?q=host:(a+OR+b)"));

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
