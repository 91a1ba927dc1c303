// A real wallet (@reown/walletkit) for the tests: told what to do by lines of JSON, and saying in lines of JSON what it met.
// usage: node wallet.mjs RELAY_URL RPC_URL
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { Core } = require("@walletconnect/core");
const { WalletKit } = require("@reown/walletkit");

const [relayUrl, rpcUrl] = process.argv.slice(2);
const say = (event, more = {}) => process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);
const failed = (during) => (error) => say("failed", { during, message: String(error?.message ?? error) });

// Nothing leaves this machine, whatever the kit would like to ask.
const realFetch = globalThis.fetch;
globalThis.fetch = (where, options) => {
  const host = new URL(where.url ?? where).hostname;
  if (host === "127.0.0.1") return realFetch(where, options);
  say("outside", { host });
  return Promise.reject(new Error(`no way out to ${host}`));
};

async function rpc(method, params) {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const answer = await (await realFetch(rpcUrl, { method: "POST", headers: { "content-type": "application/json" }, body })).json();
  if (answer.error) throw new Error(answer.error.message);
  return answer.result;
}

const kept = new Map();
const storage = {
  getKeys: async () => [...kept.keys()],
  getEntries: async () => [...kept.entries()],
  getItem: async (key) => kept.get(key),
  setItem: async (key, value) => void kept.set(key, value),
  removeItem: async (key) => void kept.delete(key),
};

const accounts = rpcUrl === "none" ? ["0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"] : await rpc("eth_accounts", []);
const core = new Core({ projectId: "0123456789abcdef0123456789abcdef", relayUrl, logger: "silent", telemetryEnabled: false, storage });
const metadata = { name: "Test\u202eWallet <b>", description: "", url: "https://example.invalid", icons: [] };
const wallet = await WalletKit.init({ core, metadata });

const space = (chains, methods) => ({
  eip155: {
    chains,
    methods,
    events: ["accountsChanged", "chainChanged"],
    accounts: chains.flatMap((chain) => accounts.slice(0, 2).map((account) => `${chain}:${account}`)),
  },
});
const grants = {
  base: () => space(["eip155:8453"], ["eth_sendTransaction", "personal_sign"]),
  mainnet: () => space(["eip155:1"], ["eth_sendTransaction"]),
  both: () => space(["eip155:1", "eip155:8453"], ["eth_sendTransaction"]),
  unable: () => space(["eip155:8453"], ["personal_sign"]),
};

let approve = "base";
let answer = "mine";
let session;
let decide;

wallet.on("session_proposal", async ({ id, params }) => {
  say("proposal", { proposer: params.proposer, optional: params.optionalNamespaces, required: params.requiredNamespaces });
  try {
    if (approve === "reject") return await wallet.rejectSession({ id, reason: { code: 5000, message: "User rejected." } });
    // A wallet that grants what was not asked for is not a wallet of this kit: its checks are passed by.
    if (approve === "mainnet") params.optionalNamespaces.eip155.chains.push("eip155:1");
    session = await wallet.approveSession({ id, namespaces: grants[approve]() });
    say("approved", { topic: session.topic, expiry: session.expiry });
  } catch (error) {
    failed("approving")(error);
  }
});

const answers = {
  mine: async (transaction) => {
    const hash = await rpc("eth_sendTransaction", [transaction]);
    return { result: hash };
  },
  slow: async (transaction) => {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    return answers.mine(transaction);
  },
  // A person who thinks until the test decides.
  thinks: async (transaction) => answers[await new Promise((resolve) => (decide = resolve))](transaction),
  reject: async () => ({ error: { code: 5000, message: "User rejected." } }),
  reject_1193: async () => ({ error: { code: 4001, message: "User denied transaction signature." } }),
  broke: async () => ({ error: { code: -32000, message: "insufficient funds for gas * price + value" } }),
  other_chain: async () => ({ error: { code: 4902, message: "Unrecognized chain ID." } }),
  no_hash: async () => ({ result: { hash: "0x00" } }),
  // Somebody else's transaction: mined, and to the same payee, but not ours.
  someone_elses: async (transaction) => ({ result: await rpc("eth_sendTransaction", [{ ...transaction, from: accounts[3], data: "0x" }]) }),
};

wallet.on("session_request", async ({ topic, id, params }) => {
  say("request", { id, chain: params.chainId, method: params.request.method, transaction: params.request.params[0], expires: params.request.expiryTimestamp });
  if (answer === "nothing") return;
  try {
    const response = { id, jsonrpc: "2.0", ...(await answers[answer](params.request.params[0])) };
    await wallet.respondSessionRequest({ topic, response });
    say("answered", { id, response });
  } catch (error) {
    failed("answering")(error);
  }
});
wallet.on("session_delete", ({ topic }) => say("deleted", { topic }));
wallet.engine.signClient.events.on("session_ping", () => say("pinged"));

const orders = {
  pair: ({ uri }) => wallet.pair({ uri }),
  approve: ({ how }) => void (approve = how),
  answer: ({ how }) => void (answer = how),
  decide: ({ how }) => decide(how),
  disconnect: () => wallet.disconnectSession({ topic: session.topic, reason: { code: 6000, message: "User disconnected." } }),
  update: async ({ how }) => (await wallet.updateSession({ topic: session.topic, namespaces: grants[how]() })).acknowledged(),
  extend: async () => (await wallet.extendSession({ topic: session.topic })).acknowledged(),
  ping: () => wallet.engine.signClient.ping({ topic: session.topic }),
  event: ({ name, data }) => wallet.emitSessionEvent({ topic: session.topic, event: { name, data }, chainId: "eip155:8453" }),
  sessions: () => say("sessions", { count: Object.keys(wallet.getActiveSessions()).length }),
};

createInterface({ input: process.stdin }).on("line", async (line) => {
  const { do: what, ...more } = JSON.parse(line);
  try {
    await orders[what](more);
    say("done", { what });
  } catch (error) {
    failed(what)(error);
  }
});
process.stdin.on("end", () => process.exit(0));
// The kit fails in the background when it is told of a session that it has just thrown away.
process.on("unhandledRejection", (error) => say("background", { message: String(error?.message ?? error) }));
say("ready", { accounts });
