import { describe, expect, it } from "vitest";
import { treeOf, treeRows } from "./treeRows";

const node = (pid: number, ppid: number) => ({ process: null, key: String(pid), pid, ppid });

const shown = (nodes: [number, number][], closed: string[] = [], most = 1000) =>
  treeRows(treeOf(nodes.map(([pid, ppid]) => node(pid, ppid))), new Set(closed), most).map(
    (row) => `${"  ".repeat(row.level)}${row.node.pid} +${row.descendants}`,
  );

describe("process tree", () => {
  it("puts children below their parents, depth first", () => {
    expect(
      shown([
        [1, 0],
        [10, 1],
        [11, 1],
        [100, 10],
        [110, 11],
      ]),
    ).toEqual(["1 +4", "  10 +1", "    100 +0", "  11 +1", "    110 +0"]);
  });

  it("leaves out what is below a closed row, and still counts it", () => {
    expect(
      shown(
        [
          [1, 0],
          [10, 1],
          [100, 10],
          [11, 1],
        ],
        ["10"],
      ),
    ).toEqual(["1 +3", "  10 +1", "  11 +0"]);
  });

  it("does not go round in circles", () => {
    expect(
      shown([
        [5, 6],
        [6, 5],
        [7, 7],
      ]),
    ).toEqual(["6 +1", "  5 +0", "7 +0"]);
  });

  it("stops at the number of rows asked for", () => {
    expect(
      shown(
        [
          [1, 0],
          [2, 1],
          [3, 2],
        ],
        [],
        2,
      ),
    ).toHaveLength(2);
  });

  it("takes a chain of thousands", () => {
    const chain = Array.from({ length: 3000 }, (_, index): [number, number] => [index + 1, index]);

    expect(shown(chain, [], 20_000)).toHaveLength(3000);
  });
});
