// Every recorded screen that the checks in a browser look at: `state:screen`.
export const SCREENS = [
  'sandbox:overview', 'live:overview', 'fresh:overview', 'empty:overview', 'offline:overview', 'locked:overview', 'notices:overview', 'sandbox:batches',
  'offline:batches', 'sandbox:usage', 'sandbox:estimate', 'signed-out:estimate', 'sandbox:buy', 'paying:buy', 'paid:buy', 'no-price:buy', 'mixed-price:buy', 'prefill-link:buy', 'no-wallet:buy', 'many-payments:buy',
  'pay-browser-by-hand:buy', 'pay-browser-wrong-chain:buy', 'pay-browser-rejected:buy', 'pay-connect-pairing:buy', 'pay-connect-asked:buy', 'pay-link:buy', 'pay-card:buy',
  'paying-stuck:buy', 'paying-held:buy', 'paying-reverted:buy', 'paid-final:buy', 'sandbox:settings', 'no-wallet:settings', 'new-wallet:settings', 'sick-nodes:settings', 'signed-out:',
];

export const SIZES = [[1440, 900], [1000, 700], [420, 800]];
