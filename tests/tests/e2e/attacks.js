// Runs inside the page, as injected code would: everything here must fail.
const [canary, done] = arguments;
(async () => {
  const seen = {};
  const pause = (ms) => new Promise((go) => setTimeout(go, ms));
  const attempt = async (name, attack) => {
    try {
      seen[name] = String(await Promise.race([attack(), pause(3000).then(() => 'no answer')])).slice(0, 120);
    } catch (error) {
      seen[name] = `threw ${error.name}`;
    }
  };
  const call = (command, args) =>
    window.__TAURI_INTERNALS__.invoke(command, args).then(
      (value) => 'ALLOWED ' + JSON.stringify(value),
      (error) => 'denied: ' + JSON.stringify(error),
    );
  await attempt('eval', () => (0, eval)('"RAN"'));
  await attempt('function', () => new Function('return "RAN"')());
  await attempt('inline script', () => {
    const script = document.createElement('script');
    script.textContent = 'window.pwned = 1';
    document.head.append(script);
    return window.pwned ? 'RAN' : 'blocked';
  });
  await attempt('data script', async () => {
    const script = document.createElement('script');
    script.src = 'data:text/javascript,window.pwned2=1';
    document.head.append(script);
    await pause(200);
    return window.pwned2 ? 'RAN' : 'blocked';
  });
  await attempt('prototype', () => {
    Object.prototype.polluted = 1;
    const reached = {}.polluted;
    delete Object.prototype.polluted;
    return reached ? 'POLLUTED' : 'frozen';
  });
  await attempt('global', () => typeof window.__TAURI__);
  await attempt('unknown command', () => call('read_secret_key', {}));
  await attempt('plugin', () => call('plugin:app|version', {}));
  await attempt('window plugin', () => call('plugin:webview|create_webview_window', { options: { label: 'x', url: canary } }));
  await attempt('reveal without the characters', () => call('reveal_key', { lastFour: '' }));
  await attempt('pay what was not reviewed', () => call('pay', { orderId: 'or_00000000000000000000000000000000' }));
  await attempt('fetch', () => fetch(canary + 'fetch').then(() => 'REACHED'));
  await attempt('web socket', () =>
    new Promise((go) => {
      const socket = new WebSocket(canary.replace('http', 'ws'));
      socket.onerror = () => go('blocked');
      socket.onopen = () => go('REACHED');
    }),
  );
  await attempt('beacon', () => (navigator.sendBeacon ? navigator.sendBeacon(canary + 'beacon', 'x') && 'sent' : 'absent'));
  await attempt('image', () =>
    new Promise((go) => {
      const image = new Image();
      image.onerror = () => go('blocked');
      image.onload = () => go('REACHED');
      image.src = canary + 'image';
    }),
  );
  await attempt('style sheet', async () => {
    const link = document.createElement('link');
    link.rel = 'stylesheet';
    link.href = canary + 'style';
    document.head.append(link);
    await pause(200);
    return 'tried';
  });
  await attempt('frame', async () => {
    const frame = document.createElement('iframe');
    frame.src = canary + 'frame';
    document.body.append(frame);
    await pause(300);
    frame.remove();
    return 'tried';
  });
  await attempt('form', async () => {
    const form = document.createElement('form');
    form.action = canary + 'form';
    form.method = 'post';
    document.body.append(form);
    form.submit();
    await pause(300);
    return 'tried';
  });
  await attempt('new window', () => (window.open(canary + 'open') ? 'OPENED' : 'blocked'));
  await attempt('navigation', async () => {
    location.href = canary + 'navigation';
    await pause(500);
    return 'stayed';
  });
  done(seen);
})();
