import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import { offerWalk } from "../state/walk/rowWalk";
import { someNumbers, someProcess } from "../test/processes";
import { answering, AT, failure, query, renderPart } from "../test/rendering";
import { ParentLink } from "./about/ParentLink";
import { ProcessPanel } from "./ProcessPanel";

const ONE = "/processes/01";

test("the panel shows a process whole, and takes the focus", async () => {
  answering({ [ONE]: { data: someProcess("01", { cmdline: "java -jar shop.jar", nice: -5 }) } });
  renderPart(<ProcessPanel id="01" onClose={vi.fn()} />);

  const heading = await screen.findByRole("heading", { name: "java" });

  expect(heading).toHaveFocus();
  expect(screen.getByLabelText("Command line")).toHaveTextContent("java -jar shop.jar");
  expect(screen.getByText("(uid 1000)")).toBeVisible();
  expect(screen.getByText("-5")).toBeVisible();
  expect(screen.getByText("1.0 MiB")).toBeVisible();
});

test("what an agent found out is shown, and filters", async () => {
  const found = someProcess("01", {
    language: "go",
    services: [{ name: "Shop", found_by: "command_line" }],
    listens: { tcp: [80, 443], udp: [] },
    tracers: [],
    injection: "not_injected",
  });
  answering({ [ONE]: { data: found } });
  renderPart(<ProcessPanel id="01" onClose={vi.fn()} />);

  const section = within(await screen.findByRole("region", { name: "Found out" }));
  expect(section.getByText("Go")).toBeVisible();
  expect(section.getByText("80, 443")).toBeVisible();
  expect(section.getByText("by command line")).toBeVisible();
  expect(section.getByText("not injected")).toBeVisible();
  await userEvent.click(section.getByRole("button", { name: "listens:443" }));

  expect(query()).toContain("tags=listens:443");
});

test("what nobody found out is not known, and what is not there is none", async () => {
  answering({ [ONE]: { data: someProcess("01", { listens: { tcp: [], udp: [] } }) } });
  renderPart(<ProcessPanel id="01" onClose={vi.fn()} />);

  const section = within(await screen.findByRole("region", { name: "Found out" }));

  expect(section.getAllByText("–")).toHaveLength(2);
  expect(section.getByText("none")).toBeVisible();
});

test("a tag filters, and once more no longer", async () => {
  answering({ [ONE]: { data: someProcess("01") } });
  renderPart(<ProcessPanel id="01" onClose={vi.fn()} />);

  await userEvent.click(await screen.findByRole("button", { name: "env:prod" }));

  expect(query()).toContain("tags=env:prod");

  await userEvent.click(screen.getByRole("button", { name: "env:prod", pressed: true }));

  expect(query()).not.toContain("tags");
});

const COST = {
  cpu_user_seconds: 2,
  cpu_system_seconds: 0.5,
  peak_rss_bytes: 2 ** 27,
  read_bytes: null,
  written_bytes: 4096,
  is_final: false,
};

test("a process that has gone is shown as it was last seen", async () => {
  const gone = someProcess("01", { ended: "2026-03-02T13:30:00", exit_code: 137, signal: "SIGKILL" });
  answering({ [ONE]: ({ params }) => (params.at === undefined ? { data: gone } : failure(404, "Not there")) });
  renderPart(<ProcessPanel id="01" onClose={vi.fn()} />);

  expect(await screen.findByText(/It was not running at/)).toBeVisible();
  expect(screen.getByText(/killed by SIGKILL/)).toBeVisible();
});

test("a process that was killed for want of memory says so, and for which cgroup", async () => {
  const killed = { ended: "2026-03-02T13:30:00", exit_code: 137, signal: "SIGKILL", oom_killed: true, cost: COST };
  answering({ [ONE]: { data: someProcess("01", { ...killed, oom_cgroup: "/system.slice/shop.service" }) } });
  renderPart(<ProcessPanel id="01" onClose={vi.fn()} />);

  expect(await screen.findByText(/, OOM-killed/)).toBeVisible();
  expect(screen.getByText("/system.slice/shop.service")).toBeVisible();
  const used = within(screen.getByRole("region", { name: "Used in all" }));
  for (const text of ["2.50 s", "128 MiB", "4.0 KiB", "–"]) expect(used.getByText(text)).toBeVisible();
  expect(used.getByText(/last snapshot before its end/)).toBeVisible();
});

test("hostile text is text, and what is invisible is shown", async () => {
  const cmdline = `<img src=x onerror="window.ran=1">\u001b[31m\u202eevil`;
  answering({ [ONE]: { data: someProcess("01", { cmdline, tags: [`x:<script>window.ran=1</script>`] }) } });
  const { container } = renderPart(<ProcessPanel id="01" onClose={vi.fn()} />);

  const shown = await screen.findByLabelText("Command line");

  expect(shown).toHaveTextContent('<img src=x onerror="window.ran=1">␛[31m⟨202E⟩evil');
  expect(container.querySelector("img, script")).toBeNull();
});

test("a command line of a megabyte is cut until one asks for all of it", async () => {
  answering({ [ONE]: { data: someProcess("01", { cmdline: "x".repeat(1_000_000) }) } });
  renderPart(<ProcessPanel id="01" onClose={vi.fn()} />);

  const shown = await screen.findByLabelText("Command line");

  expect(shown.textContent.length).toBeLessThan(3000);
  expect(screen.getByRole("button", { name: "Show all 1,000,000 characters" })).toBeVisible();
});

test("parents and children are a tree of which a click opens one", async () => {
  const relative = (id: string, pid: number, ppid: number, depth: number) => ({
    ...someProcess(id, { pid, ppid, tags: [`command:c${pid}`] }),
    depth,
  });
  answering({
    [ONE]: { data: someProcess("01", { pid: 20, ppid: 1 }) },
    [`${ONE}/tree`]: {
      meta: { at: AT, host: "web-1" },
      ancestors: [relative("a", 1, 0, -1)],
      process: relative("01", 20, 1, 0),
      descendants: [relative("b", 30, 20, 1)],
    },
  });
  renderPart(<ProcessPanel id="01" onClose={vi.fn()} />);
  await userEvent.click(await screen.findByRole("tab", { name: "Tree" }));

  const tree = within(await screen.findByRole("list", { name: "Parents and children" }));
  await userEvent.click(tree.getByRole("button", { name: "Hide 1 below 20" }));

  expect(tree.queryByRole("link", { name: /c30/ })).toBeNull();

  await userEvent.click(tree.getByRole("link", { name: /^1 c1 / }));

  expect(query()).toContain("p=a");
});

test("a parent is a link with its name, and a pid that nobody saw is none", async () => {
  const parent = someProcess("a", { pid: 1, ppid: 0, tags: ["command:systemd"] });
  answering({
    [`${ONE}/tree`]: { ancestors: [parent], process: someProcess("01"), descendants: [] },
    "/processes/02/tree": { ancestors: [], process: someProcess("02"), descendants: [] },
  });
  renderPart(<ParentLink process={someProcess("02", { ppid: 9 })} />);
  expect(await screen.findByText("(not seen)")).toBeVisible();
  renderPart(<ParentLink process={someProcess("01", { ppid: 1 })} />);

  const link = await screen.findByRole("link", { name: "systemd (pid 1)" });
  expect(link).toHaveAttribute("href", expect.stringContaining("p=a"));
  await userEvent.click(link);

  expect(query()).toContain("p=a");
});

test("the host and other texts are copied, each by its own button", async () => {
  answering({ [ONE]: { data: someProcess("01", { exe: "/usr/bin/java" }) } });
  const user = userEvent.setup();
  renderPart(<ProcessPanel id="01" onClose={vi.fn()} />);

  await user.click(await screen.findByRole("button", { name: "Copy the host" }));
  expect(await navigator.clipboard.readText()).toBe("web-1");
  await user.click(screen.getByRole("button", { name: "Copy the executable" }));

  expect(await navigator.clipboard.readText()).toBe("/usr/bin/java");
});

test("one walks to the rows before and after, where there are any", async () => {
  answering({ [ONE]: { data: someProcess("01") } });
  const walk = vi.fn();
  offerWalk({ hasPrevious: false, hasNext: true, walk });
  renderPart(<ProcessPanel id="01" onClose={vi.fn()} />);

  await userEvent.click(await screen.findByRole("button", { name: "Next process" }));

  expect(walk).toHaveBeenCalledWith(1);
  expect(screen.getByRole("button", { name: "Previous process" })).toHaveAttribute("aria-disabled", "true");
  act(() => offerWalk(null));
  expect(screen.queryByRole("button", { name: "Next process" })).toBeNull();
});

test("other runs say how they went", async () => {
  const run = {
    ...someProcess("02", { ended: "2026-03-02T13:00:30", exit_code: 3 }),
    last_seen: AT,
    same_cmdline: true,
  };
  const killed = { ...run, ...someProcess("03", { ended: "2026-03-02T13:00:50", exit_code: 137, oom_killed: true, cost: COST }) };
  answering({ [ONE]: { data: someProcess("01") }, [`${ONE}/runs`]: { data: [killed, run] } });
  renderPart(<ProcessPanel id="01" onClose={vi.fn()} />);
  await userEvent.click(await screen.findByRole("tab", { name: "Runs" }));

  expect(await screen.findByRole("button", { name: /for 50 s.*OOM-killed, 2.50 s of CPU, at most 128 MiB/ })).toBeVisible();

  await userEvent.click(await screen.findByRole("button", { name: /for 30 s.*exit code 3.*same command line/ }));

  expect(query()).toContain("p=02");
});

test("history says so where it was not seen, and asks by the minute for long ranges", async () => {
  const asked = answering({
    [ONE]: { data: someProcess("01") },
    [`${ONE}/history`]: ({ params }) => ({
      meta: { from: Number(params.from), to: Number(params.to), every: params.every },
      times: [],
      numbers: {},
      ended: null,
      exit_code: null,
    }),
  });
  window.history.replaceState(null, "", "/?x.panel=history&x.span=86400");
  renderPart(<ProcessPanel id="01" onClose={vi.fn()} />);

  expect(await screen.findByText("Not seen in this window")).toBeVisible();
  expect(asked.at(-1)?.params).toEqual({ from: String(AT - 86_400), to: String(AT), every: "minute" });
});

test("curl shows the line, with no key in it", async () => {
  answering({ [ONE]: { data: someProcess("01") } });
  renderPart(<ProcessPanel id="01" onClose={vi.fn()} />);
  await userEvent.click(await screen.findByRole("button", { name: "curl" }));

  const line = await screen.findByLabelText("Command");

  expect(line).toHaveTextContent(`/api/procession/v1${ONE}`);
  expect(line).toHaveTextContent('"Authorization: Bearer $DD_APP_KEY"');
});

test("the panel closes by its button", async () => {
  answering({ [ONE]: { data: someProcess("01") } });
  const onClose = vi.fn();
  renderPart(<ProcessPanel id="01" onClose={onClose} />);

  await userEvent.click(screen.getByRole("button", { name: "Close the process" }));

  await waitFor(() => expect(onClose).toHaveBeenCalled());
});

test("each argument is shown by itself, and all are copied as a shell reads them", async () => {
  const args = ["/opt/my app/run", "", "-c", "sleep 1; true"];
  answering({ [ONE]: { data: someProcess("01", { cmdline: "/opt/my app/run -c sleep 1; true", args }) } });
  const user = userEvent.setup();
  renderPart(<ProcessPanel id="01" onClose={vi.fn()} />);

  const shown = within(await screen.findByRole("list", { name: "Arguments" })).getAllByRole("listitem");
  await user.click(screen.getByRole("button", { name: "Copy for a shell" }));

  expect(shown.map((item) => item.textContent)).toEqual(["/opt/my app/run", "empty", "-c", "sleep 1; true"]);
  expect(await navigator.clipboard.readText()).toBe("'/opt/my app/run' '' -c 'sleep 1; true'");
});

test("where arguments end is not shown where nobody knows", async () => {
  answering({ [ONE]: { data: someProcess("01", { args: null }) } });
  renderPart(<ProcessPanel id="01" onClose={vi.fn()} />);

  await screen.findByLabelText("Command line");

  expect(screen.queryByRole("list", { name: "Arguments" })).toBeNull();
});

test("hundreds of arguments are cut until one asks for all of them", async () => {
  const args = Array.from({ length: 250 }, (_, place) => `file ${place}`);
  answering({ [ONE]: { data: someProcess("01", { args }) } });
  renderPart(<ProcessPanel id="01" onClose={vi.fn()} />);

  const list = within(await screen.findByRole("list", { name: "Arguments" }));
  expect(list.getAllByRole("listitem")).toHaveLength(100);
  await userEvent.click(screen.getByRole("button", { name: "Show all 250 arguments in full" }));

  expect(list.getAllByRole("listitem")).toHaveLength(250);
});

test.each([
  ["I", "idle"],
  ["t", "traced"],
  ["P", "parked"],
  ["Q", "Q"],
])("the state %s is said as %s", async (state, word) => {
  answering({ [ONE]: { data: someProcess("01", { numbers: someNumbers({ state }) }) } });
  renderPart(<ProcessPanel id="01" onClose={vi.fn()} />);

  expect(await screen.findByText(word, { exact: true })).toBeVisible();
});
