# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL to a JSON body per row: the floor, what others take, and Penstock's own work."""

from . import stats
from .reading import floor_task, memory, per_row, seconds, show_ratio


def p5(bench):
    pass
