from __future__ import annotations

import numpy as np

from procession.analysis.all_cpus import over_all_cpus


def test_cpu_is_divided_by_the_cpus_of_its_host_and_nothing_else_is() -> None:
    columns = {"cpu_total_percent": np.array([100.0, 50.0, 8.0], "f4"), "rss_bytes": np.array([1, 2, 3])}

    found = over_all_cpus(columns, np.array([0, 1, 1]), [4, 16])

    assert found["cpu_total_percent"].tolist() == [25.0, 3.125, 0.5]
    assert found["rss_bytes"].tolist() == [1, 2, 3]


def test_of_a_host_whose_cpus_are_not_known_it_is_not_known_what_its_processes_use() -> None:
    columns = {"cpu_user_percent": np.array([100.0, 0.0, -1.0])}

    found = over_all_cpus(columns, np.array([0, 1, 1]), [0, 2])

    assert found["cpu_user_percent"].tolist() == [-1.0, 0.0, -1.0]


def test_where_there_is_nobody_there_is_nothing_to_divide() -> None:
    found = over_all_cpus({"cpu_total_percent": np.zeros(0)}, np.zeros(0, "i8"), [])

    assert found["cpu_total_percent"].tolist() == []
