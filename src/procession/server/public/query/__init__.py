"""`/api/v2/query/…`: numbers of processes and containers over time, and put together to one."""
