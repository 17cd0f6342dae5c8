"""Asks what the list of cases says, through Datadog's Python client: `python ask.py cases.json`, a line for each."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from datadog_api_client import ApiClient, Configuration
from datadog_api_client.exceptions import ApiException, ApiTypeError, ApiValueError
from datadog_api_client.v2.api.processes_api import ProcessesApi

PARAMETERS = {"from": "_from"}
"""Where the client's name differs: Python knows a word `from`."""


def main(path: str) -> None:
    for case in json.loads(Path(path).read_text()):
        begin = time.time()
        result = ask(case)
        line = {"name": case["name"], "asked_at": begin, "answered_at": time.time()} | result
        sys.stdout.write(f"{json.dumps(line)}\n")
        sys.stdout.flush()


def ask(case: dict[str, Any]) -> dict[str, Any]:
    configuration = Configuration(host=case["url"])
    # Whatever the environment holds, the case alone says which keys there are.
    configuration.api_key = {}
    if case["bearer"]:
        configuration.access_token = case["bearer"]
    else:
        configuration.api_key["apiKeyAuth"] = case["api_key"]
        configuration.api_key["appKeyAuth"] = case["application_key"]
    configuration.enable_retry = case["retry"]
    parameters = {PARAMETERS.get(name, name): value for name, value in case["parameters"].items()}
    with ApiClient(configuration) as client:
        api = ProcessesApi(client)
        try:
            if case["all_pages"]:
                found = api.list_processes_with_pagination(**parameters)
                return {"status": 200, "data": [process.to_dict() for process in found]}
            answer = api.list_processes(**parameters)
        except ApiException as error:
            return {"status": error.status, "errors": list(error.body["errors"])}
        except (ApiTypeError, ApiValueError) as error:
            return {"status": 0, "errors": [str(error)]}
    page = answer.meta.page
    data = [process.to_dict() for process in answer.data]
    return {"status": 200, "data": data, "after": page.after, "size": page.size}


if __name__ == "__main__":
    main(sys.argv[1])
