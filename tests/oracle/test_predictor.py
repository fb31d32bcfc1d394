from hypothesis import given, settings
from hypothesis import strategies as st

from gridhall.fleet.synthetic import uniform_fleet
from gridhall.kernel import kernel, state_cast
from gridhall.scheduling.predictor import PredictorColumns, learn, predict
from gridhall.tenancy import even_tenancy
from tests.oracle import reference_order
from tests.oracle.cases import SHIPPED
from tests.oracle.reference_state import State, new_reference

as_predictor = state_cast(PredictorColumns)

KEYS = st.tuples(st.sampled_from([0, 1, 16_384, 999_999]), st.sampled_from([0, 1, 70_000]))
DURATIONS = st.one_of(st.integers(0, 5_000), st.integers(0, 10_000_000), st.integers(0, 1 << 50))


@kernel
def learn_entry(address: int, user: int, name: int, duration_ms: int) -> None:
    learn(as_predictor(address), user, name, duration_ms)


@kernel
def predict_entry(address: int, user: int, name: int, limit_ms: int, quantile_milli: int) -> int:
    return predict(as_predictor(address), user, name, limit_ms, quantile_milli)


def nothing_learned() -> State:
    fleet = uniform_fleet(72, shares=(1,))
    return new_reference(fleet, even_tenancy(["o"], ["p"], [0]), SHIPPED)


@settings(deadline=None)
@given(
    st.lists(st.tuples(KEYS, DURATIONS, st.integers(1, 60)), max_size=20),
    st.lists(st.tuples(KEYS, st.one_of(st.just(0), DURATIONS), st.integers(0, 1000)), min_size=1, max_size=8),
)
def test_predictions_are_the_quantiles_of_lists_of_counts(
    seen: list[tuple[tuple[int, int], int, int]], asked: list[tuple[tuple[int, int], int, int]]
) -> None:
    w, s = PredictorColumns({}), nothing_learned()
    for (user, name), duration_ms, times in seen:
        for _ in range(times):
            learn_entry(w.handle, user, name, duration_ms)
            reference_order.learn(s, user, name, duration_ms)
    for (user, name), limit_ms, quantile_milli in asked:
        found = predict_entry(w.handle, user, name, limit_ms, quantile_milli)
        assert found == reference_order.predict(s, user, name, limit_ms, quantile_milli)
