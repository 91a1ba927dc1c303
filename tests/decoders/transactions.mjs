// Reads signed transactions, one hex line each, with ethers; writes what it found, one JSON line each.
import { createInterface } from "node:readline";
import { Transaction } from "ethers";

for await (const line of createInterface({ input: process.stdin })) {
  const read = Transaction.from(line);
  const found = {
    type: read.type,
    chain_id: read.chainId.toString(),
    from: read.from,
    to: read.to,
    value: read.value.toString(),
    data: read.data,
    nonce: read.nonce.toString(),
    gas_limit: read.gasLimit.toString(),
    max_fee: read.maxFeePerGas.toString(),
    tip: read.maxPriorityFeePerGas.toString(),
    access_list: read.accessList.length,
    hash: read.hash,
    // Written anew from the fields: not a byte more than they say.
    again: read.serialized,
  };
  process.stdout.write(`${JSON.stringify(found)}\n`);
}
