# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wire's floor: the same requests, sent by one process that does nothing else."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import aiohttp

_LOOK_EVERY = 0.25  # seconds


async def _converge(session: aiohttp.ClientSession, organization: dict, stream: dict, check: bool) -> None:
    path = f"/v2/organizations/{organization['id']}/telemetry/auditLogs"
    headers = {"Authorization": f"Bearer {organization['token']}"}

    async def is_right() -> bool:
        async with session.get(path, headers=headers) as response:
            if response.status == 404:
                return False
            response.raise_for_status()
            return (await response.json())["pulsar"] | {"token": stream["token"]} == stream

    if await is_right() or check:
        return
    async with session.post(path, headers=headers, json={"pulsar": stream}) as response:
        response.raise_for_status()
    while not await is_right():
        await asyncio.sleep(_LOOK_EVERY)


async def _run(plan: dict, check: bool) -> None:
    # One connection each, as many at once as Ansible has workers.
    connector = aiohttp.TCPConnector(limit=plan["concurrency"])
    async with aiohttp.ClientSession(plan["api_url"], connector=connector) as session, asyncio.TaskGroup() as group:
        for organization in plan["organizations"]:
            group.create_task(_converge(session, organization, plan["stream"], check))


if __name__ == "__main__":
    asyncio.run(_run(json.loads(Path(sys.argv[1]).read_text("utf-8")), "--check" in sys.argv[2:]))
