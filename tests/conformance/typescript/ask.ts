// Asks what the list of cases says, through Datadog's TypeScript client: `node ask.js cases.json`, a line for each.

import { readFileSync } from "node:fs";

import { client, v2 } from "@datadog/datadog-api-client";

interface Case {
  name: string;
  url: string;
  parameters: {
    search?: string;
    tags?: string;
    from?: number;
    to?: number;
    page_limit?: number;
    page_cursor?: string;
  };
  api_key: string;
  application_key: string;
  bearer: string;
  all_pages: boolean;
  retry: boolean;
}

async function ask(asked: Case): Promise<object> {
  const configuration = client.createConfiguration({
    baseServer: new client.BaseServerConfiguration(asked.url, {}),
    authMethods: asked.bearer
      ? { AuthZ: { accessToken: asked.bearer } }
      : { apiKeyAuth: asked.api_key, appKeyAuth: asked.application_key },
    enableRetry: asked.retry,
  });
  const api = new v2.ProcessesApi(configuration);
  const { page_limit: pageLimit, page_cursor: pageCursor, ...others } = asked.parameters;
  const parameters = { ...others, pageLimit, pageCursor };
  try {
    if (asked.all_pages) {
      const data: object[] = [];
      for await (const process of api.listProcessesWithPagination(parameters)) {
        data.push(plain(process));
      }
      return { status: 200, data };
    }
    const answer = await api.listProcesses(parameters);
    const page = answer.meta?.page;
    return { status: 200, data: answer.data?.map(plain), after: page?.after, size: page?.size };
  } catch (error) {
    if (error instanceof client.ApiException) {
      return { status: error.code, errors: (error.body as v2.APIErrorResponse).errors };
    }
    throw error;
  }
}

// The client's own fields only: what it has not understood would be missing here.
function plain(process: v2.ProcessSummary): object {
  const { cmdline, timestamp, start, user, pid, ppid, host, tags } = process.attributes ?? {};
  return { type: process.type, id: process.id, attributes: { cmdline, timestamp, start, user, pid, ppid, host, tags } };
}

async function main(path: string): Promise<void> {
  for (const asked of JSON.parse(readFileSync(path, "utf8")) as Case[]) {
    const begin = Date.now();
    const result = await ask(asked);
    console.log(
      JSON.stringify({ name: asked.name, asked_at: begin / 1000, answered_at: Date.now() / 1000, ...result }),
    );
  }
}

await main(process.argv[2]);
