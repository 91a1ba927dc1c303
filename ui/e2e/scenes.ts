/** Every screen and state that is looked at: by axe, and in the pictures of docs/screens. */
import type { Page } from '@playwright/test';
import { byId, settled } from './window';

export interface Scene {
  /** Names the picture. */
  name: string;
  state: string;
  screen: string;
  /** Keys and clicks that lead there. */
  then?: (page: Page) => Promise<void>;
}

const SCREENS = ['overview', 'batches', 'estimate', 'buy', 'usage', 'settings'] as const;
/** Nothing yet, a month of use, as much as there can be. */
const DATA = { empty: 'empty', typical: 'sandbox', extreme: 'extreme' } as const;

/** Each screen with each amount of data: pictured at every size. */
export const MAIN: Scene[] = [
  ...SCREENS.flatMap((screen) => (Object.keys(DATA) as (keyof typeof DATA)[]).map((data) => ({ name: `${screen}-${data}`, state: DATA[data], screen }))),
  { name: 'onboarding-empty', state: 'signed-out', screen: '' },
  { name: 'overview-accounts', state: 'accounts', screen: 'overview' },
  { name: 'settings-accounts', state: 'accounts', screen: 'settings' },
];

const press = (...keys: string[]) => async (page: Page): Promise<void> => {
  for (const key of keys) await page.keyboard.press(key);
  await settled(page);
};
const find = (text: string) => async (page: Page): Promise<void> => {
  await page.keyboard.press('Control+k');
  await byId(page, 'palette-input').fill(text);
  await settled(page);
};
const click = (...ids: string[]) => async (page: Page): Promise<void> => {
  for (const id of ids) {
    await byId(page, id).first().click();
    await settled(page);
  }
};

/** States of them: pictured at one size. */
export const STATES: Scene[] = [
  { name: 'overview-live', state: 'live', screen: 'overview' },
  { name: 'overview-fresh', state: 'fresh', screen: 'overview' },
  { name: 'overview-owing', state: 'owing', screen: 'overview' },
  { name: 'overview-offline', state: 'offline', screen: 'overview' },
  { name: 'overview-offline-never', state: 'offline-never', screen: 'overview' },
  { name: 'overview-notices', state: 'notices', screen: 'overview' },
  { name: 'overview-low', state: 'prefill-low', screen: 'overview' },
  { name: 'keychain-locked', state: 'locked', screen: 'overview' },
  { name: 'keychain-waiting', state: 'locked-new', screen: 'batches' },
  { name: 'loading', state: 'loading', screen: 'overview' },
  { name: 'batches-loading', state: 'loading', screen: 'batches' },
  { name: 'batches-offline', state: 'offline', screen: 'batches' },
  { name: 'estimate-signed-out', state: 'signed-out', screen: 'estimate' },
  { name: 'buy-signed-out', state: 'signed-out', screen: 'buy' },
  { name: 'buy-no-price', state: 'no-price', screen: 'buy' },
  { name: 'buy-mixed-price', state: 'mixed-price', screen: 'buy' },
  { name: 'buy-no-wallet', state: 'no-wallet', screen: 'buy' },
  { name: 'buy-from-link', state: 'prefill-link', screen: 'buy' },
  { name: 'buy-review', state: 'sandbox', screen: 'buy', then: click('buy-review') },
  { name: 'buy-review-accounts', state: 'accounts', screen: 'buy', then: click('buy-review') },
  { name: 'pay-browser', state: 'pay-browser-by-hand', screen: 'buy' },
  { name: 'pay-browser-wrong-chain', state: 'pay-browser-wrong-chain', screen: 'buy' },
  { name: 'pay-browser-rejected', state: 'pay-browser-rejected', screen: 'buy' },
  { name: 'pay-connect', state: 'pay-connect-pairing', screen: 'buy' },
  { name: 'pay-connect-asked', state: 'pay-connect-asked', screen: 'buy' },
  { name: 'pay-link', state: 'pay-link', screen: 'buy' },
  { name: 'pay-link-expired', state: 'pay-link-expired', screen: 'buy' },
  { name: 'pay-card', state: 'pay-card', screen: 'buy' },
  { name: 'paying', state: 'paying', screen: 'buy' },
  { name: 'paying-accounts', state: 'accounts-paying', screen: 'buy' },
  { name: 'paying-stuck', state: 'paying-stuck', screen: 'buy' },
  { name: 'paying-replaced', state: 'paying-replaced', screen: 'buy' },
  { name: 'paying-held', state: 'paying-held', screen: 'buy' },
  { name: 'paying-reverted', state: 'paying-reverted', screen: 'buy' },
  { name: 'paid', state: 'paid', screen: 'buy' },
  { name: 'paid-final', state: 'paid-final', screen: 'buy' },
  { name: 'abandoned', state: 'abandoned', screen: 'buy' },
  { name: 'payment-page', state: 'sandbox', screen: 'buy', then: click('payment-link') },
  { name: 'accounts-switcher', state: 'accounts', screen: 'overview', then: click('accounts-open') },
  { name: 'accounts-many', state: 'many-accounts', screen: 'overview', then: click('accounts-open') },
  { name: 'overview-by-hand', state: 'accounts', screen: 'overview', then: click('account-f5e4d3c2b1a0') },
  { name: 'settings-many-accounts', state: 'many-accounts', screen: 'settings' },
  { name: 'settings-add-key', state: 'accounts', screen: 'settings', then: click('settings-add-key') },
  { name: 'settings-typed', state: 'accounts', screen: 'settings', then: click('settings-add-typed') },
  { name: 'settings-rotate', state: 'sandbox', screen: 'settings', then: click('rotate-key') },
  { name: 'settings-sign-out-one-of-several', state: 'accounts', screen: 'settings', then: click('sign-out') },
  { name: 'settings-delete', state: 'sandbox', screen: 'settings', then: click('delete-everything', 'delete-wallet') },
  { name: 'settings-no-wallet', state: 'no-wallet', screen: 'settings' },
  { name: 'settings-new-wallet', state: 'new-wallet', screen: 'settings' },
  { name: 'settings-sick-nodes', state: 'sick-nodes', screen: 'settings' },
  { name: 'settings-sign-out', state: 'sandbox', screen: 'settings', then: click('sign-out') },
  { name: 'settings-reveal', state: 'sandbox', screen: 'settings', then: click('reveal-key') },
  { name: 'settings-edit-nodes', state: 'sandbox', screen: 'settings', then: click('edit-nodes') },
  { name: 'onboarding-live', state: 'signed-out-live', screen: '' },
  { name: 'onboarding-offline', state: 'signed-out-offline', screen: '' },
  { name: 'onboarding-no-keychain', state: 'signed-out-memory', screen: '', then: click('onboarding-sign-in') },
  { name: 'tour-offer', state: 'signed-out', screen: '', then: click('onboarding-look-around') },
  { name: 'tour-first', state: 'signed-out', screen: '', then: click('onboarding-look-around', 'tour-start') },
  { name: 'tour-batches', state: 'signed-out', screen: '', then: click('onboarding-look-around', 'tour-start', 'tour-next', 'tour-next') },
  { name: 'onboarding-key', state: 'signed-out', screen: '', then: click('onboarding-sign-in') },
  { name: 'palette', state: 'sandbox', screen: 'overview', then: press('Control+k') },
  { name: 'palette-price', state: 'sandbox', screen: 'overview', then: find('sora 8') },
  { name: 'shortcuts', state: 'sandbox', screen: 'overview', then: press('?') },
];
