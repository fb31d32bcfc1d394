"""Money spent against a budget: warned, then nothing new starts; with pre-emption what may be stopped is stopped."""

import asyncio
from dataclasses import replace
from pathlib import Path

from gridhall.money.rates import load_rates
from gridhall.server.budget_watch import BudgetWatch
from gridhall.server.identity.bootstrap import bootstrap
from gridhall.server.live import work
from gridhall.server.live.service import Service
from gridhall.server.objects.tenancy import BudgetSpec
from gridhall.server.tenants.budgets import SetBudget
from tests.server.live.house import hand_engine, running, settings, small_fleet, submit, until

RATES = Path(__file__).parents[2] / "examples" / "rates.yaml"


def test_what_goes_on_spends_the_budget_and_then_nothing_new_starts(store_url: str) -> None:
    async def story() -> None:
        fleet = small_fleet()
        engine = hand_engine(fleet)
        chosen = replace(settings(store_url, fleet, engine), rates=load_rates(RATES))
        async with running(chosen) as service:
            await bootstrap(service, 0)
            await until(lambda: int(service.world.state.node_up[:].sum()) == 2)
            watch = BudgetWatch(service)
            spec = BudgetSpec(limit_micro=1, at_limit="pre-empt")
            await service.loop.happen(SetBudget("budget.default", None, spec))
            await watch.look()
            assert budget(service)["standing"] == "open"
            lasting = await submit(service, preemptible=True)
            await asyncio.sleep(0.1)
            await watch.look()
            assert budget(service)["standing"] == "preempt"
            assert int(str(budget(service)["spent_micro"])) > 1
            await until(lambda: engine.stops)
            assert lasting.state == work.STOPPING
            waiting = await submit(service)
            assert waiting.state == work.QUEUED

    asyncio.run(story())


def budget(service: Service) -> dict[str, object]:
    found = service.world.directory.get("budget", "budget.default")
    assert found is not None
    return found.status
