"""`/api/v2/query/…`: numbers of processes over time, and put together to one."""
