/** Processes for tests: what the test is not about has some value. */

import { MEASURES, type Measure } from "../api/measures";
import type { ProcessAttributes, ProcessItem, ProcessNumbers } from "../api/types";

export function someNumbers(numbers: Partial<ProcessNumbers> = {}): ProcessNumbers {
  const unknown = Object.fromEntries(MEASURES.map(({ name }) => [name, null])) as Record<Measure, null>;
  return {
    ...unknown,
    cpu_total_percent: 1.5,
    cpu_user_percent: 1,
    cpu_system_percent: 0.5,
    rss_bytes: 1_048_576,
    threads: 2,
    state: "S",
    ...numbers,
  };
}

export function someProcess(id: string, attributes: Partial<ProcessAttributes> = {}): ProcessItem {
  return {
    type: "process",
    id,
    attributes: {
      cmdline: "java -jar shop.jar",
      timestamp: "2026-03-02T14:01:05",
      start: "2026-03-02T13:00:00",
      user: "shop",
      pid: 7,
      ppid: 1,
      host: "web-1",
      tags: ["env:prod", "host:web-1", "user:shop", "command:java", "state_zombie:false"],
      args: ["java", "-jar", "shop.jar"],
      exe: "/usr/bin/java",
      cwd: "/srv",
      root: "/",
      comm: "java",
      group: "shop",
      container_id: "",
      uid: 1000,
      gid: 1000,
      namespace_pid: 7,
      nice: -5,
      language: null,
      services: null,
      listens: { tcp: null, udp: null },
      tracers: null,
      instrumented: null,
      injection: null,
      ended: null,
      exit_code: null,
      signal: null,
      oom_killed: null,
      oom_cgroup: null,
      cost: null,
      numbers: someNumbers(),
      ...attributes,
    },
  };
}
