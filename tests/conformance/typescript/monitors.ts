// Keeps monitors, webhooks and downtimes in the order of the other languages, with the bodies that they all have, and
// asks for numbers and containers: `node monitors.js cases.json`.

import { readFileSync } from "node:fs";

import { client, v1, v2 } from "@datadog/datadog-api-client";

interface Case {
  url: string;
  api_key: string;
  application_key: string;
  bodies: Record<string, unknown>;
}

/** A version of the client's, which knows its own models. */
type Version = typeof v1 | typeof v2;

async function keep(asked: Case): Promise<void> {
  const configuration = client.createConfiguration({
    baseServer: new client.BaseServerConfiguration(asked.url, {}),
    authMethods: { apiKeyAuth: asked.api_key, appKeyAuth: asked.application_key },
  });
  const read = <T>(version: Version, name: string, type: string): T =>
    understood(version.ObjectSerializer.deserialize(asked.bodies[name], type) as T);
  const id = await monitors(configuration, (name, type) => read(v1, name, type));
  await webhooks(configuration, (name, type) => read(v1, name, type));
  await downtimes(configuration, (name, type) => read(v2, name, type), id);
  const api = new v1.MonitorsApi(configuration);
  await say("delete", v1, "DeletedMonitor", () => api.deleteMonitor({ monitorId: id }));
  await say("gone", v1, "Monitor", () => api.getMonitor({ monitorId: id }));
  await queries(configuration, (name, type) => read(v2, name, type));
  await containers(configuration);
}

/** As the client's own model reads it. */
type Read = <T>(name: string, type: string) => T;

async function monitors(configuration: client.Configuration, read: Read): Promise<number> {
  const api = new v1.MonitorsApi(configuration);
  const monitor = read<v1.Monitor>("monitor", "Monitor");
  const authentication = new v1.AuthenticationApi(configuration);
  await say("keys", v1, "AuthenticationValidationResponse", () => authentication.validate());
  await say("validate", v1, "any", () => api.validateMonitor({ body: monitor }));
  const made = await say("create", v1, "Monitor", () => api.createMonitor({ body: monitor }));
  const monitorId = made?.id ?? 0;
  await say("read", v1, "Monitor", () => api.getMonitor({ monitorId, groupStates: "all", withDowntimes: true }));
  await say("validate existing", v1, "any", () => api.validateExistingMonitor({ monitorId, body: monitor }));
  const change = read<v1.MonitorUpdateRequest>("monitor update", "MonitorUpdateRequest");
  await say("update", v1, "Monitor", () => api.updateMonitor({ monitorId, body: change }));
  const second = read<v1.Monitor>("second monitor", "Monitor");
  await say("second", v1, "Monitor", () => api.createMonitor({ body: second }));
  await say("list", v1, "Array<Monitor>", () => api.listMonitors({ name: "web", monitorTags: "team:web" }));
  await say("pages", v1, "Array<Monitor>", () => all(api.listMonitorsWithPagination({ pageSize: 1 })));
  await say("search", v1, "MonitorSearchResponse", () => api.searchMonitors({ query: "web is" }));
  await say("search groups", v1, "MonitorGroupSearchResponse", () => api.searchMonitorGroups({ query: "web is" }));
  await say("can delete", v1, "CheckCanDeleteMonitorResponse", () =>
    api.checkCanDeleteMonitor({ monitorIds: [monitorId] }),
  );
  for (const bad of ["bad query", "other type"]) {
    await say(bad, v1, "Monitor", () => api.createMonitor({ body: read<v1.Monitor>(bad, "Monitor") }));
  }
  return monitorId;
}

async function webhooks(configuration: client.Configuration, read: Read): Promise<void> {
  const api = new v1.WebhooksIntegrationApi(configuration);
  const [webhookName, customVariableName] = ["oncall", "TOKEN"];
  const [webhook, variable] = ["WebhooksIntegration", "WebhooksIntegrationCustomVariableResponse"];
  await say("webhook", v1, webhook, () => api.createWebhooksIntegration({ body: read("webhook", webhook) }));
  await say("webhook read", v1, webhook, () => api.getWebhooksIntegration({ webhookName }));
  await say("webhook update", v1, webhook, () =>
    api.updateWebhooksIntegration({ webhookName, body: read("webhook update", "WebhooksIntegrationUpdateRequest") }),
  );
  await say("webhook delete", v1, "any", () => api.deleteWebhooksIntegration({ webhookName }));
  await say("webhook gone", v1, webhook, () => api.getWebhooksIntegration({ webhookName }));

  await say("variable", v1, variable, () =>
    api.createWebhooksIntegrationCustomVariable({ body: read("variable", "WebhooksIntegrationCustomVariable") }),
  );
  await say("variable read", v1, variable, () => api.getWebhooksIntegrationCustomVariable({ customVariableName }));
  const change = read<v1.WebhooksIntegrationCustomVariableUpdateRequest>(
    "variable update",
    "WebhooksIntegrationCustomVariableUpdateRequest",
  );
  await say("variable update", v1, variable, () =>
    api.updateWebhooksIntegrationCustomVariable({ customVariableName, body: change }),
  );
  await say("variable delete", v1, "any", () => api.deleteWebhooksIntegrationCustomVariable({ customVariableName }));
}

async function downtimes(configuration: client.Configuration, read: Read, monitorId: number): Promise<void> {
  const api = new v2.DowntimesApi(configuration);
  const answer = "DowntimeResponse";
  const create = (name: string) =>
    say(name, v2, answer, () => api.createDowntime({ body: read(name, "DowntimeCreateRequest") }));
  const downtimeId = (await create("downtime once"))?.data?.id ?? "";
  const weekly = (await create("downtime weekly"))?.data?.id ?? "";
  await say("downtime read", v2, answer, () => api.getDowntime({ downtimeId: weekly }));
  const change = read<v2.DowntimeUpdateRequest>("downtime update", "DowntimeUpdateRequest");
  change.data.id = downtimeId;
  await say("downtime update", v2, answer, () => api.updateDowntime({ downtimeId, body: change }));
  await say("downtimes", v2, "Array<DowntimeResponseData>", () =>
    all(api.listDowntimesWithPagination({ currentOnly: true, pageLimit: 1 })),
  );
  await say("downtimes of the monitor", v2, "MonitorDowntimeMatchResponse", () =>
    api.listMonitorDowntimes({ monitorId }),
  );
  await say("downtime cancel", v2, "any", () => api.cancelDowntime({ downtimeId }));
  await say("downtime canceled", v2, answer, () => api.getDowntime({ downtimeId }));
}

async function queries(configuration: client.Configuration, read: Read): Promise<void> {
  const api = new v2.MetricsApi(configuration);
  for (const name of ["timeseries", "two sources", "container timeseries"]) {
    await say(name, v2, "TimeseriesFormulaQueryResponse", () =>
      api.queryTimeseriesData({ body: read(name, "TimeseriesFormulaQueryRequest") }),
    );
  }
  for (const name of ["scalar", "container scalar"]) {
    await say(name, v2, "ScalarFormulaQueryResponse", () =>
      api.queryScalarData({ body: read(name, "ScalarFormulaQueryRequest") }),
    );
  }
  const elsewhere = new v1.DashboardListsApi(configuration);
  await say("elsewhere", v1, "DashboardList", () => elsewhere.getDashboardList({ listId: 7 }));
}

async function containers(configuration: client.Configuration): Promise<void> {
  const api = new v2.ContainersApi(configuration);
  const [list, page] = ["Array<ContainerItem>", "ContainersResponse"];
  await say("containers", v2, list, () => all(api.listContainersWithPagination({ pageSize: 2, sort: "-name" })));
  await say("containers of production", v2, page, () => api.listContainers({ filterTags: "env:prod,!team:db" }));
  await say("container groups", v2, list, () =>
    all(api.listContainersWithPagination({ groupBy: "env,team", pageSize: 1 })),
  );
  await say("bad containers", v2, page, () => api.listContainers({ sort: "nothing" }));
}

async function all<T>(pages: AsyncGenerator<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of pages) {
    found.push(one);
  }
  return found;
}

async function say<T>(name: string, version: Version, type: string, call: () => Promise<T>): Promise<T | undefined> {
  try {
    const value = understood(await call());
    const shown: unknown = version.ObjectSerializer.serialize(value, type, "");
    console.log(JSON.stringify({ name, status: 200, value: shown ?? null }));
    return value;
  } catch (error) {
    if (!(error instanceof client.ApiException)) {
      throw error;
    }
    console.log(JSON.stringify({ name, status: error.code, errors: (error.body as v1.APIErrorResponse).errors }));
    return undefined;
  }
}

// The client hides what it has not understood in a field, which would come out as if all was well.
function understood<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    if ("_unparsed" in value || value.constructor.name === "UnparsedObject") {
      throw new Error(`not understood: ${JSON.stringify(value)}`);
    }
    Object.values(value).forEach(understood);
  }
  return value;
}

for (const asked of JSON.parse(readFileSync(process.argv[2], "utf8")) as Case[]) {
  await keep(asked);
}
