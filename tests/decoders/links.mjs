// Reads EIP-681 links, one a line, with eth-url-parser; writes what it found, one JSON line each.
import { createInterface } from "node:readline";
import parser from "eth-url-parser";

for await (const line of createInterface({ input: process.stdin })) {
  let found;
  try { found = parser.parse(line); }
  catch (error) { found = { error: String(error.message) }; }
  process.stdout.write(`${JSON.stringify(found)}\n`);
}
