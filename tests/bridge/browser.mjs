// A real Chromium with wallets in it, driven by one JSON line per step: the test that holds the other end decides what happens.
// usage: node browser.mjs CHROMIUM PROFILE_FOLDER NODE_URL
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import puppeteer from "puppeteer-core";

const [chromium, profile, chainUrl] = process.argv.slice(2);
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PATIENCE_MS = 20_000;

const browser = await puppeteer.launch({
  executablePath: chromium, headless: true, pipe: true, userDataDir: profile,
  // The sandbox needs rights that root in a container has not; the pages here are our own.
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions", "--host-resolver-rules=MAP evil.test 127.0.0.1"],
});

/** The wallets' minds: outside of the page, so that loading it again changes nothing. */
let wallets = [];
let calls = [];
const tabs = new Map();

const rpc = async (method, params) => {
  const answer = await fetch(chainUrl, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }) });
  const { result, error } = await answer.json();
  if (error) throw Object.assign(new Error(error.message), { code: error.code });
  return result;
};

const refuse = (code, message) => { throw Object.assign(new Error(message), { code }); };

/** What a wallet does when it is asked; `wallet` says how it is set up. */
const decide = async (wallet, method, params) => {
  // Thinks until it is told to go on.
  while (wallet.holds === method) await new Promise((done) => setTimeout(done, 20));
  const fault = wallet.faults?.[method]?.shift();
  if (fault) refuse(fault.code, fault.message);
  const said = wallet.says?.[method];
  if (said !== undefined) return Array.isArray(said.queue) ? (said.queue.length > 1 ? said.queue.shift() : said.queue[0]) : said;
  switch (method) {
    case "eth_chainId": return wallet.chain;
    case "eth_accounts":
    case "eth_requestAccounts": return [(await rpc("eth_accounts", []))[wallet.account ?? 0]];
    case "wallet_switchEthereumChain":
      if (!wallet.knows.includes(params[0].chainId)) refuse(4902, "Unrecognized chain ID");
      await change(wallet, params[0].chainId);
      return null;
    case "wallet_addEthereumChain":
      wallet.knows.push(params[0].chainId);
      await change(wallet, params[0].chainId);
      return null;
    default: return rpc(method, params);
  }
};

const change = async (wallet, chain) => {
  wallet.chain = chain;
  await emit(wallets.indexOf(wallet), "chainChanged", chain);
};

const emit = async (index, event, value) => {
  for (const { page } of tabs.values()) await page.evaluate((i, e, v) => window.__emit?.(i, e, v), index, event, value).catch(() => {});
};

const ask = async (index, method, params) => {
  calls.push({ wallet: index, method, params });
  try { return { result: await decide(wallets[index], method, params) }; }
  catch (error) { return { error: { code: error.code ?? -32603, message: error.message } }; }
};

/** Runs in the page before anything of its own. */
const inject = (specs) => {
  const handlers = specs.map(() => ({}));
  window.__emit = (index, event, value) => (handlers[index]?.[event] ?? []).forEach((handler) => handler(value));
  const provider = (index) => ({
    request: async ({ method, params }) => {
      const { result, error } = await window.__wallet(index, method, params ?? []);
      if (error) throw Object.assign(new Error(error.message), { code: error.code });
      return result;
    },
    on: (event, handler) => { (handlers[index][event] ??= []).push(handler); },
  });
  const announce = (spec, index) => {
    const { name, rdns, icon = "data:image/svg+xml,<svg/>", uuid = `00000000-0000-4000-8000-${String(index).padStart(12, "0")}` } = spec;
    const detail = spec.throws ? { get info() { throw new Error("no"); } } : { info: { uuid, name, icon, rdns }, provider: provider(index) };
    dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail: Object.freeze(detail) }));
  };
  const early = () => specs.forEach((spec, index) => { if (spec.kind === "announced") announce(spec, index); });
  addEventListener("eip6963:requestProvider", early);
  early();
  window.__announce = (index) => announce(specs[index], index);
  const legacy = specs.findIndex((spec) => spec.kind === "legacy");
  if (legacy >= 0) window.ethereum = provider(legacy);
};

const steps = {
  wallets: ({ list }) => { wallets = list; calls = []; },
  wallet: ({ index, set }) => void Object.assign(wallets[index], set),
  calls: () => calls,
  emit: ({ index, event, value }) => emit(index, event, value),
  open: async ({ tab, url, scheme = "light", width = 800, height = 1000 }) => {
    const page = await browser.newPage();
    const problems = [];
    const requests = [];
    tabs.set(tab, { page, problems, requests });
    await page.setViewport({ width, height });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }, { name: "prefers-reduced-motion", value: "reduce" }]);
    page.on("console", (message) => { if (message.type() === "error" || /Content Security/.test(message.text())) problems.push(message.text()); });
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("request", (request) => requests.push(request.url()));
    page.setDefaultTimeout(PATIENCE_MS);
    await page.exposeFunction("__wallet", ask);
    await page.evaluateOnNewDocument(inject, wallets);
    const answer = await page.goto(url);
    return answer?.status() ?? 0;
  },
  shows: async ({ tab, view }) => {
    const { page } = tabs.get(tab);
    try { await page.waitForFunction((wanted) => document.body?.dataset.shows === wanted, { polling: 30 }, view); }
    catch { throw new Error(`the page shows ${await page.evaluate(() => document.body?.dataset.shows ?? document.body?.innerText)}, not ${view}`); }
    return page.$eval(`[data-view="${view}"]`, (section) => section.innerText);
  },
  click: async ({ tab, selector }) => {
    const { page } = tabs.get(tab);
    // A tab in the background draws nothing, and what is not drawn is not clicked.
    await page.bringToFront();
    await page.locator(selector).setTimeout(PATIENCE_MS).click();
  },
  press: async ({ tab, key }) => tabs.get(tab).page.keyboard.press(key),
  text: ({ tab, selector }) => tabs.get(tab).page.$eval(selector, (place) => place.innerText),
  evaluate: ({ tab, code }) => tabs.get(tab).page.evaluate(code),
  url: ({ tab }) => tabs.get(tab).page.url(),
  reload: async ({ tab }) => void (await tabs.get(tab).page.reload()),
  goto: async ({ tab, url }) => (await tabs.get(tab).page.goto(url))?.status() ?? 0,
  frame: async ({ tab }) => {
    const { page } = tabs.get(tab);
    const frame = page.frames().find((one) => one !== page.mainFrame());
    return frame ? `${frame.url()} ${await frame.content().catch(() => "")}` : "";
  },
  close: async ({ tab }) => {
    await tabs.get(tab).page.close();
    tabs.delete(tab);
  },
  problems: ({ tab }) => tabs.get(tab).problems,
  requests: ({ tab }) => tabs.get(tab).requests,
  shot: async ({ tab, path }) => void (await tabs.get(tab).page.screenshot({ path, fullPage: true })),
  scheme: async ({ tab, scheme }) => void (await tabs.get(tab).page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }])),
  size: async ({ tab, width, height }) => void (await tabs.get(tab).page.setViewport({ width, height })),
  axe: async ({ tab }) => {
    const { page } = tabs.get(tab);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { step, ...given } = JSON.parse(line);
  let said;
  try { said = { ok: (await steps[step](given)) ?? null }; }
  catch (error) { said = { error: String(error?.message ?? error) }; }
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
await browser.close();
