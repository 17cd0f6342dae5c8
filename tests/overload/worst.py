"""An org that asks for what takes longest, without end, in a process of its own.

python -m tests.overload.worst HOST PORT API_KEY APPLICATION_KEY CONNECTIONS SECONDS
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from collections import Counter
from urllib.parse import quote

OWN = "/api/procession/v1"
ANY = quote(" OR ".join(f"zz{n}*{n}" for n in range(120)))
QUERIES = (
    f"/api/v2/processes?page[limit]=10000&search={ANY}",
    "/api/v2/processes?page[limit]=10000",
    f"{OWN}/processes?page[limit]=10000",
    f"{OWN}/facets?keys=host,user,command,env,role,team,version,region&limit=1000",
    f"{OWN}/groups?by=command&measures=cpu_total_percent,rss_bytes,threads&limit=1000",
    f"{OWN}/groups?by=cmdline&limit=1000",
    f"{OWN}/points?limit=10000",
    f"{OWN}/timeseries?by=command&limit=20&points=500",
    f"{OWN}/compare?other_at={int(time.time()) - 60}",
)


def main() -> None:
    host, port, api_key, application_key, connections, seconds = sys.argv[1:]
    answers: Counter[str] = Counter()
    end = time.monotonic() + float(seconds)
    headers = {"DD-API-Key": api_key, "DD-Application-Key": application_key, "Accept-Encoding": "gzip"}

    def ask(number: int) -> None:
        connection = http.client.HTTPConnection(host, int(port), timeout=60)
        while time.monotonic() < end:
            number += 1
            try:
                connection.request("GET", QUERIES[number % len(QUERIES)], headers=headers)
                answer = connection.getresponse()
                answer.read()
                answers[str(answer.status)] += 1
            except (OSError, http.client.HTTPException):
                answers["closed"] += 1
                connection.close()

    threads = [threading.Thread(target=ask, args=(number,), daemon=True) for number in range(int(connections))]
    for thread in threads:
        thread.start()
    for thread in threads:
        # Not for what takes longer: it goes, and leaves the server with what it has asked for.
        thread.join(max(0.0, end - time.monotonic()))
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
