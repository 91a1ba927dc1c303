"use strict";
(() => {
  const WALLETS_MAX = 12;
  const LOOK_MS = 400;
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const all = (selector) => [...document.querySelectorAll(selector)];
  const words = JSON.parse(document.getElementById("words").content.textContent);
  const say = (key, names = {}) => Object.entries(names).reduce((text, [name, value]) => text.replaceAll(`{${name}}`, () => value), words[key]);

  // The token leaves the address bar before anything else runs; it works once.
  const token = location.hash.slice(1);
  history.replaceState(null, "", "/");
  // What it is exchanged for lives as long as this tab, so that a wallet that loads the page again does not lose it.
  const kept = {
    read: () => { try { return sessionStorage.getItem("bridge") ?? ""; } catch { return ""; } },
    write: (key) => { try { sessionStorage.setItem("bridge", key); } catch { /* then it cannot be loaded again */ } },
  };

  let key = "";
  let chain = null;
  let view = "loading";
  let chosen = null;
  let account = "";
  let ask = 0;
  let paying = false;
  // Counts choices: what an earlier one still answers is dropped.
  let turn = 0;

  // ---- the app

  // Not mode "same-origin": with it, and without a referrer, browsers send `Origin: null`.
  const call = async (path, body = {}, secret = key) => {
    const answer = await fetch(path, {
      method: "POST", mode: "cors", credentials: "omit", cache: "no-store", redirect: "error",
      headers: { "content-type": "application/json", "x-bridge-token": secret }, body: JSON.stringify(body),
    });
    const said = await answer.json();
    if (!answer.ok) throw Object.assign(new Error(said.error), { refusal: said.error });
    return said;
  };

  // Some calls have to arrive: a dropped connection is tried again, a refusal is not.
  const deliver = async (path, body) => {
    for (let attempt = 1; ; attempt++) {
      try { return await call(path, body); }
      catch (error) { if (error.refusal || attempt === 4) throw error; }
      await pause(250 * attempt);
    }
  };

  const refused = (error) => {
    const views = { expired: "expired", closed: "closed", answered: "done", already_asked: "asked-before", used: "used", another_tab: "used", token: "nolink" };
    show(views[error.refusal] ?? "closed");
  };

  const watch = async () => {
    for (let failed = 0; failed < 4;) {
      try {
        const { ended } = await call("/watch");
        failed = 0;
        if (ended) return over(ended);
      } catch (error) {
        if (["expired", "closed"].includes(error.refusal)) return over(error.refusal);
        failed++;
        await pause(300 * failed);
      }
    }
    over("closed");
  };

  const over = (how) => {
    turn++;
    if (view !== "done") show(how);
  };

  // ---- what is shown

  const element = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });

  const fill = (name, text) => all(`[data-slot="${name}"]`).forEach((place) => {
    place.textContent = text;
    place.hidden = text === "";
  });

  const groups = (name, parts) => all(`[data-slot="${name}"]`).forEach((place) => place.replaceChildren(...parts.map((part) => element("span", part))));

  // In fours, 0x with the first, each read against the wallet's own.
  const fours = (hex) => (hex.slice(2).match(/.{1,4}/g) ?? []).map((four, at) => (at === 0 ? `0x${four}` : four));

  const show = (next) => {
    const focused = document.activeElement;
    view = next;
    all("[data-view]").forEach((section) => { section.hidden = section.dataset.view !== next; });
    const heading = document.querySelector(`[data-view="${next}"] h2`);
    document.getElementById("status").textContent = heading.textContent;
    document.title = `${heading.textContent} · AiSpace Wallet`;
    document.body.dataset.shows = next;
    if (["done", "expired", "closed", "used", "nolink"].includes(next)) fill("until", "");
    // The button that was pressed may be gone: the keyboard goes on at what replaced it.
    if (focused && focused !== document.body && !focused.checkVisibility()) heading.focus();
  };

  const describe = (details) => {
    chain = details.chain;
    groups("code", [details.code.slice(0, 3), details.code.slice(3)]);
    const [whole, fraction = ""] = details.ether.split(".");
    const [first, ...rest] = fraction.padEnd(18, "0").match(/.{3}/g);
    groups("ether", [`${whole}.${first}`, ...rest]);
    fill("credits", details.credits);
    fill("usd", details.usd);
    groups("to", fours(details.to));
    const until = new Date(Date.now() + details.seconds * 1000).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
    fill("until", say("until", { time: until }));
    document.getElementById("payment").hidden = false;
  };

  // As the app cleans it: letters, digits and a few signs.
  const clean = (text, most = 40) => [...String(text ?? "")].filter((sign) => /[\p{L}\p{N} .\-_+&()]/u.test(sign)).slice(0, most).join("").trim();

  const choose = (note = "") => {
    turn++;
    chosen = null;
    fill("refused", note);
    show(found.size ? "choose" : "none");
  };

  // ---- finding wallets

  const found = new Map();

  const add = (id, provider, name, from) => {
    if (found.has(id) || found.size >= WALLETS_MAX || typeof provider?.request !== "function") return;
    const wallet = { provider, name: clean(name) || say("nameless") };
    found.set(id, wallet);
    const button = document.createElement("button");
    button.className = "btn wallet";
    const letter = element("span", [...wallet.name][0].toUpperCase());
    letter.className = "wallet__letter";
    letter.ariaHidden = "true";
    button.append(letter, element("bdi", wallet.name));
    if (/^[a-z0-9.-]{3,60}$/i.test(from)) button.append(element("small", from));
    button.addEventListener("click", () => connect(wallet));
    const row = document.createElement("li");
    row.append(button);
    document.getElementById("wallets").append(row);
    fill("looking", "");
    if (view === "none") show("choose");
  };

  addEventListener("eip6963:announceProvider", (event) => {
    // What a page is handed may throw wherever it is touched.
    try {
      const { info, provider } = event.detail;
      add(String(info.uuid), provider, info.name, String(info.rdns ?? ""));
    } catch { /* then it is no wallet */ }
  });

  const look = async () => {
    dispatchEvent(new Event("eip6963:requestProvider"));
    await pause(LOOK_MS);
    if (!found.size && window.ethereum) add("window.ethereum", window.ethereum, say("own"), "");
    fill("looking", "");
    if (["choose", "none"].includes(view)) show(found.size ? "choose" : "none");
  };

  // ---- one wallet

  const codeOf = (error) => error?.code ?? error?.data?.originalError?.code ?? error?.cause?.code;
  const isRefusal = (error) => codeOf(error) === 4001 || codeOf(error) === "ACTION_REJECTED";
  const isUnknownChain = (error) => [error?.code, error?.data?.originalError?.code].includes(4902);
  const isPending = (error) => codeOf(error) === -32002;

  const connect = async (wallet) => {
    const mine = ++turn;
    chosen = wallet;
    fill("wallet", wallet.name);
    fill("refused", "");
    show("connecting");
    try {
      const accounts = await wallet.provider.request({ method: "eth_requestAccounts" });
      if (mine !== turn) return;
      if (!take(accounts)) return choose(say("no_account", { wallet: wallet.name }));
      follow(wallet);
      await toBase(mine);
    } catch (error) {
      if (mine !== turn) return;
      if (error.refusal) return refused(error);
      choose(say(isPending(error) ? "pending" : isRefusal(error) ? "refused" : "failed", { wallet: wallet.name }));
    }
  };

  const take = (accounts) => {
    const first = Array.isArray(accounts) ? accounts.find((one) => /^0x[0-9a-f]{40}$/i.test(one)) : undefined;
    account = first ?? "";
    groups("account", fours(account));
    return account !== "";
  };

  const onBase = async () => {
    const id = await chosen.provider.request({ method: "eth_chainId" });
    try { return BigInt(id) === BigInt(chain.chainId); } catch { return false; }
  };

  const arrived = async () => {
    // Wallets say they have changed a moment before they have.
    for (let look = 0; look < 8; look++) {
      if (await onBase()) return true;
      await pause(150);
    }
    return false;
  };

  const switchChain = async () => {
    const { provider } = chosen;
    const change = () => provider.request({ method: "wallet_switchEthereumChain", params: [{ chainId: chain.chainId }] });
    try { await change(); }
    catch (error) {
      if (!isUnknownChain(error)) throw error;
      await provider.request({ method: "wallet_addEthereumChain", params: [chain] });
      // Adding a chain need not change to it.
      if (!(await onBase())) await change();
    }
    return arrived();
  };

  const toBase = async (mine) => {
    if (!(await onBase())) {
      if (mine !== turn) return;
      show("switching");
      let changed = false;
      try { changed = await switchChain(); } catch { /* refused: it says so below */ }
      if (mine !== turn) return;
      if (!changed) return elsewhere();
    }
    if (mine !== turn) return;
    await call("/wallet", { name: chosen.name, account });
    if (mine === turn) show("ready");
  };

  const elsewhere = async () => {
    show("chain");
    await call("/wrong-chain", { name: chosen.name, account }).catch(refused);
  };

  // What changes in the wallet between connecting and paying.
  const follow = (wallet) => {
    if (wallet.followed || typeof wallet.provider.on !== "function") return;
    wallet.followed = true;
    const steady = () => wallet === chosen && ["ready", "rejected", "chain"].includes(view);
    wallet.provider.on("accountsChanged", async (accounts) => {
      if (!steady()) return;
      if (!take(accounts)) return choose(say("gone", { wallet: wallet.name }));
      if (view === "ready") await call("/wallet", { name: wallet.name, account }).catch(refused);
    });
    wallet.provider.on("chainChanged", () => {
      if (steady()) again(toBaseQuietly);
    });
  };

  // The person changed the network in the wallet: it is looked at, not changed back over their head.
  const toBaseQuietly = async (mine) => {
    if (!(await onBase())) return mine === turn ? elsewhere() : undefined;
    if (mine !== turn) return;
    await call("/wallet", { name: chosen.name, account });
    if (mine === turn) show("ready");
  };

  const again = async (step) => {
    const mine = ++turn;
    try { await step(mine); }
    catch (error) {
      if (mine !== turn) return;
      if (error.refusal) refused(error);
      else choose(say("strange", { wallet: chosen.name }));
    }
  };

  // ---- the one ask

  const pay = async () => {
    if (paying) return;
    paying = true;
    all('[data-do="pay"]').forEach((button) => { button.disabled = true; });
    try { await askOnce(); }
    finally {
      paying = false;
      all('[data-do="pay"]').forEach((button) => { button.disabled = false; });
    }
  };

  const askOnce = async () => {
    const mine = ++turn;
    const { provider, name } = chosen;
    let transaction;
    try {
      if (!(await onBase())) return await elsewhere();
      if (mine !== turn) return;
      ({ ask, transaction } = await call("/ask", { name, account }));
    } catch (error) {
      if (error.refusal || mine !== turn) return refused(error);
      return choose(say("strange", { wallet: name }));
    }
    show("asked");
    // Between the question above and here the wallet may have gone elsewhere.
    if (!(await onBase().catch(() => false))) {
      show("chain");
      return void (await deliver("/unasked", { ask, why: "wrong_chain" }).catch(refused));
    }
    try {
      const hash = await provider.request({ method: "eth_sendTransaction", params: [transaction] });
      await sent(hash);
    } catch (error) {
      if (isRefusal(error)) await unasked("rejected");
      else unclear(error);
    }
  };

  const sent = async (hash) => {
    if (!/^0x[0-9a-f]{64}$/i.test(hash)) return unclear();
    groups("hash", fours(hash));
    try { await deliver("/answer", { ask, hash }); }
    catch (error) { if (error.refusal !== "answered") return refused(error); }
    show("done");
  };

  const unasked = async (next) => {
    try {
      await deliver("/unasked", { ask, why: "rejected" });
      show(next);
    } catch (error) { refused(error); }
  };

  const unclear = (error) => {
    if (["expired", "closed"].includes(view)) return;
    const said = clean(error?.message, 160);
    fill("trouble", said ? say("said", { text: said }) : "");
    show("unclear");
  };

  // ---- begin

  const deeds = {
    look, pay,
    back: () => choose(),
    switch: () => again(toBase),
    "nothing-sent": () => unasked("ready"),
  };
  addEventListener("click", (event) => deeds[event.target.closest?.("[data-do]")?.dataset.do]?.());

  const begin = async () => {
    if (token) return call("/open", {}, token);
    if (!kept.read()) throw Object.assign(new Error("no link"), { refusal: "token" });
    key = kept.read();
    for (let attempt = 1; ; attempt++) {
      try { return await call("/resume"); }
      catch (error) { if (error.refusal !== "another_tab" || attempt === 6) throw error; }
      // The tab this was before it was loaded again takes a moment to be gone.
      await pause(250);
    }
  };

  begin().then((details) => {
    if (details.key) {
      key = details.key;
      kept.write(key);
    }
    describe(details);
    fill("wallet", details.wallet ?? "");
    groups("hash", fours(details.hash ?? ""));
    void watch();
    if (details.stage === "asked") return show("asked-before");
    if (details.stage === "answered") return show("done");
    show("choose");
    void look();
  }, refused);
})();
