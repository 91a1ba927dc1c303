import { fireEvent } from '@testing-library/svelte';
import { tick } from 'svelte';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { recordedBackend, recordedView, WORDS, type Scenario } from '../../../recorded/backend';
import { WALLET_ADDRESS } from '../../../recorded/buy';
import { allOf, byTestId, faults, missing, openWindow, refused, shown, textOf } from '../../../tests/window';
import type { Backend, Result } from '../../backend';
import { go, goSettings, route } from '../../state/route.svelte';
import { isNodeUrl, nodeWords } from '../settings/words';
import { words } from './backup.svelte';
import { receiving } from './receiving.svelte';
import { countWords, keyDigits } from './words';

vi.setConfig({ testTimeout: 90_000 });

const recorded = recordedBackend('sandbox');
const LIST = WORDS.split(' ');
const LAST_FOUR = WALLET_ADDRESS.slice(-4);
const page = (): HTMLElement => document.body;
const holds = (secret: string): boolean => document.documentElement.outerHTML.includes(secret);
/** Several words of the list in one place: none of them stands in the page by chance. */
const holdsWords = (): boolean => holds('abstract') || holds('acoustic');
const type = (id: string, value: string) => fireEvent.input(byTestId(page(), id), { target: { value } });
const press = async (id: string): Promise<void> => void (await fireEvent.click(await shown(page(), id)));
const send = (id: string) => fireEvent.submit(byTestId(page(), id).closest('form') as HTMLFormElement);

beforeEach(() => {
  receiving.open = false;
  words.close();
});
afterEach(() => vi.useRealTimers());

async function open(scenario: Scenario, changes: Partial<Backend> = {}): Promise<void> {
  await openWindow(scenario, 'settings', changes);
  await shown(page(), 'settings-theme-dark');
}

describe('making a wallet', () => {
  test('words are shown once, go from the page, and three are asked back', async () => {
    const confirmed = vi.fn<Backend['confirmWords']>();
    await open('no-wallet');
    const { backend } = await import('../../backend');
    const really = backend.confirmWords;
    backend.confirmWords = (answers) => {
      void confirmed(answers);
      return really(answers);
    };
    expect(textOf(await shown(page(), 'no-wallet'))).toContain('within limits that you set');
    await press('wallet-create');
    expect(holdsWords()).toBe(false);
    await press('wallet-create-confirm');
    const list = await shown(page(), 'wallet-words');
    expect([...list.querySelectorAll('li')].map(textOf)).toEqual(LIST.map((word, index) => `${index + 1}${word}`));
    expect(await faults(page())).toEqual([]);
    await press('words-written');
    await vi.waitFor(() => expect(holdsWords()).toBe(false));
    const fields = allOf(page(), 'word-answer') as HTMLInputElement[];
    expect(fields.map((field) => field.dataset['place'])).toEqual(['4', '11', '19']);
    expect(byTestId(page(), 'words-submit')).toHaveProperty('disabled', true);
    for (const [index, field] of fields.entries()) await fireEvent.input(field, { target: { value: ` ${LIST[(words.places[index] ?? 0) - 1]?.toUpperCase()} ` } });
    await send('words-submit');
    await shown(page(), 'words-done');
    expect(confirmed).toHaveBeenCalledWith([
      { position: 4, word: 'about' },
      { position: 11, word: 'access' },
      { position: 19, word: 'across' },
    ]);
    expect(holdsWords()).toBe(false);
    expect(missing(page(), 'not-backed-up')).toBe(true);
  });

  test('a wrong word is said, what was typed goes, and the words can be seen again', async () => {
    await open('new-wallet');
    await press('save-words');
    await press('words-written');
    for (const field of allOf(page(), 'word-answer')) await fireEvent.input(field, { target: { value: 'zoo' } });
    await send('words-submit');
    expect((await shown(page(), 'error-banner')).dataset['code']).toBe('wallet_words_wrong');
    expect((allOf(page(), 'word-answer') as HTMLInputElement[]).map((field) => field.value)).toEqual(['', '', '']);
    await press('words-back');
    await shown(page(), 'wallet-words');
  });

  test('leaving the window takes the words away; they come back against the address', async () => {
    await open('new-wallet');
    await press('save-words');
    await shown(page(), 'wallet-words');
    const hidden = vi.spyOn(document, 'hidden', 'get').mockReturnValue(true);
    document.dispatchEvent(new Event('visibilitychange'));
    hidden.mockRestore();
    await vi.waitFor(() => expect(holdsWords()).toBe(false));
    await type('words-confirm', LAST_FOUR);
    await send('words-show');
    await shown(page(), 'wallet-words');
  });

  test('the words go after five minutes, and half a minute after the window lost the focus', async () => {
    await open('new-wallet');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await words.resume();
    await tick();
    window.dispatchEvent(new Event('blur'));
    vi.advanceTimersByTime(29_000);
    window.dispatchEvent(new Event('focus'));
    vi.advanceTimersByTime(60_000);
    expect(words.shown).not.toBeNull();
    window.dispatchEvent(new Event('blur'));
    vi.advanceTimersByTime(30_000);
    expect(words.shown).toBeNull();
    await words.show(LAST_FOUR);
    await tick();
    vi.advanceTimersByTime(300_000);
    expect(words.shown).toBeNull();
    expect(words.stage).toBe('hidden');
  });

  test('words that come after the dialog was closed or the screen left are not shown', async () => {
    let answer: (result: Result<string[]>) => void = () => undefined;
    await open('new-wallet', { revealSecret: () => new Promise((resolve) => (answer = resolve)) });
    await press('save-words');
    await shown(page(), 'words-hidden');
    go('overview');
    await vi.waitFor(() => expect(words.stage).toBe('closed'));
    answer({ status: 'ok', data: LIST });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(words.shown).toBeNull();
    expect(holdsWords()).toBe(false);
  });

  test('a refusal to make one stays in the dialog', async () => {
    await open('no-wallet', { createWallet: () => Promise.resolve(refused('keychain_locked')) });
    await press('wallet-create');
    await press('wallet-create-confirm');
    expect((await shown(page(), 'error-banner')).dataset['code']).toBe('keychain_locked');
  });
});

describe('importing', () => {
  const text = (): HTMLTextAreaElement => byTestId(page(), 'import-text') as HTMLTextAreaElement;

  test('words are counted, handed on, and gone from the page', async () => {
    const imported = vi.fn(recorded.importWallet);
    await open('no-wallet', { importWallet: imported });
    await press('wallet-import');
    await shown(page(), 'import-text');
    await type('import-text', LIST.slice(0, 11).join(' '));
    expect(textOf(page())).toContain('11 words so far');
    await type('import-text', `  ${WORDS}\n`);
    await send('import-submit');
    expect(imported).toHaveBeenCalledWith('words', WORDS, null);
    await vi.waitFor(() => expect(missing(page(), 'import-text')).toBe(true));
    expect(holdsWords()).toBe(false);
  });

  test('a keystore needs its password; a wrong one is asked for again', async () => {
    const imported = vi.fn(() => Promise.resolve(refused('keystore_password_wrong')));
    await open('no-wallet', { importWallet: imported });
    await press('wallet-import');
    await press('import-keystore');
    await type('import-text', '{"version":3}');
    expect(byTestId(page(), 'import-submit')).toHaveProperty('disabled', true);
    await type('import-password', 'correct horse');
    await send('import-submit');
    expect((await shown(page(), 'error-banner')).dataset['code']).toBe('keystore_password_wrong');
    expect(imported).toHaveBeenCalledWith('keystore', '{"version":3}', 'correct horse');
    expect(byTestId(page(), 'import-password')).toHaveProperty('value', '');
    expect(await faults(page())).toEqual([]);
  });

  test('changing what it is from forgets what was typed', async () => {
    await open('no-wallet');
    await press('wallet-import');
    await shown(page(), 'import-text');
    await type('import-text', WORDS);
    await press('import-key');
    expect(text().value).toBe('');
    await type('import-text', '0x12zz');
    expect(textOf(page())).toContain('only the digits 0 to 9 and a to f');
  });
});

describe('a wallet that is there', () => {
  test('its words and key are shown against the address only, and hide', async () => {
    await open('sandbox');
    await press('reveal-words');
    await shown(page(), 'reveal-confirm');
    await type('reveal-confirm', '0000');
    await send('reveal-confirm');
    expect((await shown(page(), 'error-banner')).dataset['code']).toBe('reveal_refused');
    await type('reveal-confirm', LAST_FOUR);
    await send('reveal-confirm');
    await shown(page(), 'wallet-words');
    await press('hide-key');
    await vi.waitFor(() => expect(holdsWords()).toBe(false));
    await press('reveal-wallet-key');
    await shown(page(), 'reveal-confirm');
    await type('reveal-confirm', LAST_FOUR);
    await send('reveal-confirm');
    expect(textOf(await shown(page(), 'revealed-key'))).toMatch(/^0x[0-9a-f]{64}$/);
    go('overview');
    await vi.waitFor(() => expect(holds('0123456789abcdef')).toBe(false));
  });

  test('one that was made from a key has no words to show', async () => {
    const view = recordedView('sandbox');
    await open('sandbox', { snapshot: () => Promise.resolve({ ...view, wallet: view.wallet && { ...view.wallet, origin: 'imported_key', has_words: false, backed_up: false } }) });
    expect(missing(page(), 'reveal-words')).toBe(true);
    expect(textOf(byTestId(page(), 'not-backed-up'))).toContain('Export its keystore');
    expect(missing(page(), 'save-keystore')).toBe(false);
  });

  test('receives at its address, with the ends to compare', async () => {
    const write = vi.fn<(text: string) => Promise<void>>().mockResolvedValue();
    vi.stubGlobal('navigator', { ...navigator, clipboard: { writeText: write } });
    await open('sandbox');
    await press('wallet-receive');
    expect(textOf(await shown(page(), 'receive-address')).replace(/\s/g, '')).toBe(WALLET_ADDRESS);
    expect(document.querySelector('.dialog .qr__fg')).not.toBeNull();
    await press('copy-receive');
    expect(write).toHaveBeenCalledWith(WALLET_ADDRESS);
    await vi.waitFor(() => expect(textOf(document.querySelector('.dialog') as Element)).toContain('Compare after pasting: 0xde70 … fb77'));
    expect(await faults(page())).toEqual([]);
    vi.unstubAllGlobals();
  });

  test('limits are dollars, and saved together', async () => {
    const set = vi.fn(recorded.setCaps);
    await open('sandbox', { setCaps: set });
    expect(textOf(page())).toContain('$15.00 paid today, by UTC.');
    await type('cap-payment', 'many');
    expect(byTestId(page(), 'save-caps')).toHaveProperty('disabled', true);
    await type('cap-payment', '20');
    await send('save-caps');
    expect(set).toHaveBeenCalledWith('20.00', '100.00');
  });

  test('a keystore needs the same password twice, and says where it lies', async () => {
    await open('sandbox');
    await press('export-keystore');
    await shown(page(), 'keystore-password');
    await type('keystore-password', 'one long password');
    await type('keystore-again', 'one long pass');
    expect(textOf(page())).toContain('The two differ.');
    expect(byTestId(page(), 'keystore-submit')).toHaveProperty('disabled', true);
    await type('keystore-again', 'one long password');
    await send('keystore-submit');
    expect(textOf(await shown(page(), 'keystore-path'))).toContain('/home/ada/Downloads/');
    expect(holds('one long password')).toBe(false);
  });

  test('is removed against its address, after what it holds was said', async () => {
    await open('new-wallet');
    await press('remove-wallet');
    await shown(page(), 'remove-unsaved');
    expect(missing(page(), 'remove-holds')).toBe(true);
    await type('remove-confirm', '0000');
    await send('remove-confirm');
    expect((await shown(page(), 'error-banner')).dataset['code']).toBe('wallet_not_confirmed');
    await type('remove-confirm', LAST_FOUR);
    await send('remove-confirm');
    await shown(page(), 'no-wallet');
  });

  test('with ether in it, or none known, says so first', async () => {
    await open('sandbox');
    await press('remove-wallet');
    expect(textOf(await shown(page(), 'remove-holds'))).toContain('It holds 0.25000000 ETH');
  });

  test('a low one says so', async () => {
    await open('low-wallet');
    expect(textOf(byTestId(page(), 'wallet-low'))).toBe('low for a purchase');
  });
});

describe('settings of paying', () => {
  test('a project id has 32 digits, and can be taken out again', async () => {
    const set = vi.fn(recorded.setWalletconnectProject);
    await open('sick-nodes', { setWalletconnectProject: set });
    await type('connect-project', 'b4f0c2');
    expect(textOf(page())).toContain('6 of 32 hex digits.');
    expect(byTestId(page(), 'save-project')).toHaveProperty('disabled', true);
    await type('connect-project', '');
    await send('save-project');
    expect(set).toHaveBeenCalledWith(null);
  });

  test('nodes show their health', async () => {
    await open('sick-nodes');
    const rows = allOf(page(), 'node-row').map(textOf);
    expect(rows[0]).toContain('base.example.org:443');
    expect(rows[0]).toContain('61 ms');
    expect(rows[1]).toContain('6 behind');
    expect(rows[2]).toMatch(/asks to wait: too many calls, rests 4\d\ss/);
    expect(rows[3]).toContain('is on chain 1, not 8453');
    // The rest of an address may hold an access key.
    expect(rows.join(' ')).not.toContain('3fb9d1c2');
  });

  test('nodes are changed as a list', async () => {
    const set = vi.fn(recorded.setNodes);
    await open('sandbox', { setNodes: set });
    await press('edit-nodes');
    await vi.waitFor(() => expect(allOf(page(), 'node-url')).toHaveLength(3));
    await press('add-node');
    const fields = allOf(page(), 'node-url');
    await fireEvent.input(fields[3] as HTMLElement, { target: { value: 'http://nodes.example' } });
    expect(byTestId(page(), 'save-nodes')).toHaveProperty('disabled', true);
    await fireEvent.input(fields[3] as HTMLElement, { target: { value: ' https://nodes.example ' } });
    await fireEvent.click(allOf(page(), 'remove-node')[0] as HTMLElement);
    expect(await faults(page())).toEqual([]);
    await send('save-nodes');
    expect(set).toHaveBeenCalledWith(['http://127.0.0.1:18546', 'http://127.0.0.1:18547', 'https://nodes.example']);
  });

  test('the usual nodes come back with none', async () => {
    const set = vi.fn(recorded.setNodes);
    await open('sick-nodes', { setNodes: set });
    await press('edit-nodes');
    await press('usual-nodes');
    expect(set).toHaveBeenCalledWith([]);
  });

  test('refused nodes stay in the dialog', async () => {
    await open('sandbox', { setNodes: () => Promise.resolve(refused('nodes_refused', { reason: 'two have the same address' })) });
    await press('edit-nodes');
    await shown(page(), 'save-nodes');
    await vi.waitFor(() => expect(byTestId(page(), 'save-nodes')).toHaveProperty('disabled', false));
    await send('save-nodes');
    expect(textOf(await shown(page(), 'error-banner'))).toContain('two have the same address');
    expect(allOf(page(), 'node-url')).toHaveLength(3);
  });

  test('the reminder is switched on with an amount, and off', async () => {
    const set = vi.fn(recorded.setLowBalance);
    await open('sick-nodes', { setLowBalance: set });
    await press('low-balance');
    expect(set).toHaveBeenCalledWith('5.00');
    await open('sandbox', { setLowBalance: set });
    const [, on] = allOf(page(), 'low-balance');
    await fireEvent.click(on as HTMLElement);
    expect(set).toHaveBeenLastCalledWith(null);
  });

  test('a refusal elsewhere leads to its section', async () => {
    await openWindow('sandbox', 'overview');
    goSettings('network');
    await shown(page(), 'edit-nodes');
    await vi.waitFor(() => expect(route.section).toBeNull());
    expect(document.querySelector('.subnav [aria-current]')?.textContent).toContain('Network');
  });
});

test.each([
  ['', 0],
  ['  one  ', 1],
  ['one two\nthree', 3],
])('%j has %d words', (typed, count) => expect(countWords(typed)).toBe(count));

test.each([
  ['0x12ab', 4],
  ['12AB ', 4],
  ['', 0],
  ['12 ab', null],
])('%j has %s digits of a key', (typed, digits) => expect(keyDigits(typed)).toBe(digits));

test.each([
  ['https://base.example.org/rpc', true],
  ['http://127.0.0.1:8545', true],
  ['http://localhost:8545', true],
  ['http://base.example.org', false],
  ['wss://base.example.org', false],
  ['base.example.org', false],
  ['https://', false],
])('%s as a node: %s', (url, can) => expect(isNodeUrl(url)).toBe(can));

test('a node that rested is spoken of as it is', () => {
  const node = { url: 'https://a', name: 'a', healthy: true, block_number: '1', behind: null, latency_ms: 1, trouble: null, resting_until: '2026-11-20T13:00:00Z' };
  expect(nodeWords(node, Date.parse('2026-11-20T13:00:01Z'))).toBe('in quorum');
  expect(nodeWords(node, Date.parse('2026-11-20T12:59:30Z'))).toMatch(/^rests 30\ss$/);
});
