"""Peers from PyPI. usage: contender.py genai-prices|litellm|tokencost speed SECONDS | exact COUNT | first"""

import json
import os
import sys
import time
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

ONE_MODEL = "gpt-4o"


class GenaiPrices:
    """One exact decimal and two subtotals."""

    def __init__(self):
        import genai_prices

        self.usage, self.calc = genai_prices.Usage, genai_prices.calc_price

    def total(self, model, uncached, cached, output):
        usage = self.usage(input_tokens=uncached + cached, cache_read_tokens=cached, output_tokens=output)
        return self.calc(usage, model).total_price

    def rates(self, model):
        price = self.calc(self.usage(input_tokens=1, output_tokens=1), model).model_price
        found = (price.input_mtok, price.cache_read_mtok, price.output_mtok)
        return [Fraction(getattr(r, "base", r)) / 10**6 for r in found] if None not in found else None


class Litellm:
    """Two floats."""

    def __init__(self):
        # Its own price map: without this it asks the network for one at every start.
        os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
        import litellm

        litellm.suppress_debug_info = True
        self.cost, self.prices = litellm.cost_per_token, litellm.model_cost

    def total(self, model, uncached, cached, output):
        costs = self.cost(
            model=model, prompt_tokens=uncached + cached, completion_tokens=output, cache_read_input_tokens=cached
        )
        return costs[0] + costs[1]

    def rates(self, model):
        return per_token(self.prices.get(model, {}))


class Tokencost:
    """A decimal for each of the three parts; the caller adds them."""

    def __init__(self):
        from tokencost.constants import TOKEN_COSTS
        from tokencost.costs import calculate_cost_by_tokens

        self.prices, self.cost = TOKEN_COSTS, calculate_cost_by_tokens

    def total(self, model, uncached, cached, output):
        parts = self.cost(uncached, model, "input"), self.cost(cached, model, "cached"), self.cost(output, model, "output")
        return parts[0] + parts[1] + parts[2]

    def rates(self, model):
        return per_token(self.prices.get(model, {}))


PEERS = {"genai-prices": GenaiPrices, "litellm": Litellm, "tokencost": Tokencost}


def per_token(row):
    found = [row.get(key) for key in ("input_cost_per_token", "cache_read_input_token_cost", "output_cost_per_token")]
    return [printed(rate) for rate in found] if None not in found else None


def printed(number):
    """What a number is when it is printed: the shortest decimal for a float."""
    return Fraction(Decimal(repr(number) if isinstance(number, float) else number))


def nth(n):
    """The same workload as common/src/workload.rs."""
    return 600 + (n & 63) - (n & 31), 400 + (n & 31), 200 + (n & 15)


def seeded():
    state = 2463534242
    while True:
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        yield state


def shuffled(items):
    random = seeded()
    for last in range(len(items) - 1, 0, -1):
        other = next(random) % (last + 1)
        items[last], items[other] = items[other], items[last]
    return items


def is_known(peer, model):
    try:
        return peer.total(model, *nth(0)) > 0
    except Exception:  # Each peer has errors of its own for a model that it does not know.
        return False


def known(peer):
    lines = (Path(__file__).parent.parent / "names.txt").read_text().split("\n")
    return [model for model in shuffled([line.split()[1] for line in lines if line]) if is_known(peer, model)]


def measure(peer, workload, names, seconds):
    run(peer, workload, names, seconds / 5)
    return run(peer, workload, names, seconds)


def run(peer, workload, names, seconds):
    began, quotes, turn, batch = time.process_time(), 0, 0, 1
    while True:
        for n in range(quotes, quotes + batch):
            peer.total(names[turn], *nth(n))
            turn = turn + 1 if turn + 1 < len(names) else 0
        quotes += batch
        used = time.process_time() - began
        if used >= seconds:
            return {"workload": workload, "names": len(names), "quotes": quotes, "cpu_seconds": used}
        if used < seconds / 1000:
            batch *= 2


def exact(peer, names, count):
    priced = [(model, rates) for model in names if (rates := peer.rates(model))]
    random, missed, worst = seeded(), 0, 0
    for n in range(count):
        model, rates = priced[n % len(priced)]
        whole = 1 + next(random) % 100_000
        cached = next(random) % (whole + 1)
        output = 1 + next(random) % 20_000
        price = (whole - cached) * rates[0] + cached * rates[1] + output * rates[2]
        got = printed(peer.total(model, whole - cached, cached, output))
        if got != price:
            missed, worst = missed + 1, max(worst, abs(got - price) / price)
    return {"names": len(priced), "checked": count, "missed": missed, "worst": float(worst)}


def main(name, mode, argument="0"):
    peer = PEERS[name]()
    if mode == "first":
        return str(peer.total(ONE_MODEL, *nth(0)))
    names = known(peer)
    if mode == "exact":
        return exact(peer, names, int(argument))
    seconds = float(argument)
    return [measure(peer, "names_common", names, seconds), measure(peer, "name_one", [ONE_MODEL], seconds)]


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
