// Peer: npm @pydantic/genai-prices. usage: contender.mjs speed SECONDS | exact COUNT | first
import { calcPrice } from '@pydantic/genai-prices'
import { readFileSync } from 'node:fs'

const ONE_MODEL = 'gpt-4o'
const [mode, argument] = process.argv.slice(2)

// The same workload as common/src/workload.rs.
const nth = (n) => ({ input: 1000 + (n & 63), cached: 400 + (n & 31), output: 200 + (n & 15) })

function seeded() {
  let state = 2463534242
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>>= 0)
  }
}

function shuffled(items) {
  const random = seeded()
  for (let last = items.length - 1; last > 0; last--) {
    const other = random() % (last + 1)
    ;[items[last], items[other]] = [items[other], items[last]]
  }
  return items
}

const quote = (model, { input, cached, output }) =>
  calcPrice({ input_tokens: input, cache_read_tokens: cached, output_tokens: output }, model)

function known() {
  const lines = readFileSync(new URL('../names.txt', import.meta.url), 'utf8').trim().split('\n')
  return shuffled(lines.map((line) => line.split(' ')[1])).filter((model) => quote(model, nth(0)) !== null)
}

let sink = 0

function measure(workload, names, seconds) {
  run(workload, names, seconds / 5)
  return run(workload, names, seconds)
}

function run(workload, names, seconds) {
  const began = process.cpuUsage()
  for (let quotes = 0, turn = 0, batch = 1; ; ) {
    for (let n = quotes; n < quotes + batch; n++) {
      sink += quote(names[turn], nth(n)).total_price
      turn = turn + 1 === names.length ? 0 : turn + 1
    }
    quotes += batch
    const { user, system } = process.cpuUsage(began)
    const used = (user + system) / 1e6
    if (used >= seconds) return { workload, names: names.length, quotes, cpu_seconds: used }
    if (used < seconds / 1000) batch *= 2
  }
}

// A float as it is printed, in units of 10^-60, exactly.
function scaled(float) {
  const [digits, exponent = '0'] = String(float).split('e')
  const [whole, fraction = ''] = digits.split('.')
  return BigInt(whole + fraction) * 10n ** BigInt(60 - fraction.length + Number(exponent))
}

function exact(names, count) {
  const rates = names
    .map((model) => ({ model, ...quote(model, nth(0)).model_price }))
    .filter((rate) => [rate.input_mtok, rate.cache_read_mtok, rate.output_mtok].every((r) => r !== undefined))
    .map((rate) => ({ model: rate.model, prices: [rate.input_mtok, rate.cache_read_mtok, rate.output_mtok].map((r) => scaled(r.base ?? r)) }))
  const random = seeded()
  let [missed, worst] = [0, 0]
  for (let n = 0; n < count; n++) {
    const { model, prices } = rates[n % rates.length]
    const input = 1 + (random() % 100000)
    const cached = random() % (input + 1)
    const output = 1 + (random() % 20000)
    const price = (BigInt(input - cached) * prices[0] + BigInt(cached) * prices[1] + BigInt(output) * prices[2]) / 1000000n
    const got = scaled(quote(model, { input, cached, output }).total_price)
    if (got === price) continue
    missed++
    worst = Math.max(worst, Math.abs(Number(got - price)) / Number(price))
  }
  return { names: rates.length, checked: count, missed, worst }
}

function answer() {
  if (mode === 'first') return quote(ONE_MODEL, nth(0)).total_price
  const names = known()
  if (mode === 'exact') return exact(names, Number(argument))
  const seconds = Number(argument)
  return [measure('names_common', names, seconds), measure('name_one', [ONE_MODEL], seconds)]
}

console.log(JSON.stringify(answer()))
if (sink === Infinity) console.error(sink)
