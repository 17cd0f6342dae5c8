import { expect, test } from "vitest";

import type { MeasuredGroup } from "../api/types";
import type { GroupView } from "./groupColumns";
import { groupFile } from "./groupFile";

const view: GroupView = { keys: "command,host", measures: ["rss_bytes"], statistics: ["avg", "p95"], sort: "-count" };
const groups: MeasuredGroup[] = [
  { value: "=cmd()", second: "web-1", count: 3, numbers: { rss_bytes: { avg: 1.5, p95: 2, known: 2 } } },
  { value: null, second: null, count: 1, numbers: { rss_bytes: { avg: null, p95: null, known: 0 } } },
];

const text = (file: Blob) =>
  new Promise<string>((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.readAsText(file);
  });

test("CSV has a column for each key and statistic, and no formula", async () => {
  const file = groupFile("csv", view, groups);

  expect(await text(file)).toBe(
    "command,host,count,avg:rss_bytes,p95:rss_bytes,known:rss_bytes\r\n'=cmd(),web-1,3,1.5,2,2\r\n,,1,,,0\r\n",
  );
  expect(file.type).toContain("text/csv");
});

test("JSON has a group in each line, with everything as it is", async () => {
  const lines = (await text(groupFile("json", view, groups))).split("\n");

  expect(lines[1]).toContain('{"values":{"command":"=cmd()","host":"web-1"},"count":3');
  expect(JSON.parse(lines.join("\n"))).toHaveLength(2);
  expect(JSON.parse(await text(groupFile("json", { ...view, keys: "command" }, [])))).toEqual([]);
});
