import { fireEvent } from '@testing-library/svelte';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { recordedBackend, recordedView } from '../../../recorded/backend';
import { allOf, byTestId, faults, missing, openWindow, refused, shown, textOf } from '../../../tests/window';
import type { Backend } from '../../backend';
import { route } from '../../state/route.svelte';
import { dialogs } from './asked.svelte';
import { faultWords } from './names';

// axe reads the whole window, slowly the first time.
vi.setConfig({ testTimeout: 120_000 });

const page = (): HTMLElement => document.body;
const there = (id: string): Promise<HTMLElement> => shown(page(), id);
const type = (element: Element, value: string): Promise<boolean> => fireEvent.input(element, { target: { value } });
const pages = async (screen: 'overview' | 'settings', changes: Partial<Backend> = {}): Promise<HTMLElement> => openWindow('accounts', screen, changes);

// What is loaded when it is asked for takes its time the first time.
beforeAll(() => Promise.all([import('./Switcher.svelte'), import('./AddKeyDialog.svelte'), import('./LeaveDialog.svelte')]), 90_000);
afterEach(() => dialogs.close());

describe('the switcher', () => {
  test('opens with Ctrl Shift A, shows every account with the total and its age, and gives the focus back', async () => {
    await pages('overview');
    await fireEvent.keyDown(window, { key: 'A', ctrlKey: true, shiftKey: true });
    const words = textOf(await there('switcher'));
    for (const one of ['Studio North', 'Personal', 'Old provider', 'Typed in by hand', '270,630.45', 'oldest part read']) expect(words).toContain(one);
    expect(await faults(page())).toEqual([]);
    await fireEvent.keyDown(await there('switcher'), { key: 'Escape' });
    await vi.waitFor(() => expect(missing(page(), 'switcher')).toBe(true));
  });

  test('choosing another account shows it, choosing the shown one asks nothing', async () => {
    const switched = vi.fn(recordedBackend('accounts').switchAccount);
    await pages('settings', { switchAccount: switched });
    await fireEvent.click(await there('accounts-open'));
    await fireEvent.click(await there('account-first'));
    await vi.waitFor(() => expect(missing(page(), 'switcher')).toBe(true));
    expect(switched).not.toHaveBeenCalled();
    await fireEvent.click(await there('accounts-open'));
    await fireEvent.click(await there('account-0a1b2c3d4e5f'));
    expect(switched).toHaveBeenCalledWith('0a1b2c3d4e5f');
  });
});

test('one account has no total and nothing beside it', async () => {
  await openWindow('sandbox', 'overview');
  expect(missing(page(), 'all-accounts')).toBe(true);
  expect(recordedView('sandbox').accounts.total).toBeNull();
});

test('a total of which a part is old says at most, and what is not in it', async () => {
  await openWindow('many-accounts', 'overview');
  const words = textOf(await there('all-accounts'));
  expect(words).toContain('at most 289,550');
  expect(words).toContain('without one account that was never read');
  expect(words).toContain('Key not available');
  expect(await faults(page())).toEqual([]);
});

describe('in the settings', () => {
  test('an account is named', async () => {
    const named = vi.fn(recordedBackend('accounts').labelAccount);
    await pages('settings', { labelAccount: named });
    await fireEvent.click(allOf(page(), 'rename')[1] as HTMLElement);
    await type(await there('label-input'), 'Home');
    await fireEvent.click(await there('label-submit'));
    expect(named).toHaveBeenCalledWith('0a1b2c3d4e5f', 'Home');
  });

  test('a key is rotated only after it was said what stops working', async () => {
    const rotated = vi.fn(recordedBackend('sandbox').rotateKey);
    await openWindow('sandbox', 'settings', { rotateKey: rotated });
    await fireEvent.click(await there('rotate-key'));
    await there('rotate-submit');
    expect(textOf(document.querySelector('.dialog') as Element)).toContain('Copies of the old key stop working');
    expect(rotated).not.toHaveBeenCalled();
    expect(await faults(page())).toEqual([]);
    await fireEvent.click(await there('rotate-submit'));
    await there('rotated');
    expect(rotated).toHaveBeenCalledWith('first');
  });

  test('a refusal to rotate stays in the dialog', async () => {
    await openWindow('sandbox', 'settings', { rotateKey: () => Promise.resolve(refused('service_unreachable')) });
    await fireEvent.click(await there('rotate-key'));
    await fireEvent.click(await there('rotate-submit'));
    expect((await there('error-banner')).dataset['code']).toBe('service_unreachable');
  });

  test('removing one of several leaves the others on the screen', async () => {
    const gone = vi.fn(recordedBackend('accounts').removeAccount);
    await pages('settings', { removeAccount: gone });
    await fireEvent.click(allOf(page(), 'sign-out')[2] as HTMLElement);
    await there('sign-out-confirm');
    expect(textOf(document.querySelector('.dialog') as Element)).toContain('the batches you typed in');
    await fireEvent.click(byTestId(page(), 'sign-out-confirm'));
    expect(gone).toHaveBeenCalledWith('f5e4d3c2b1a0');
    expect(route.current).toBe('settings');
  });
});

describe('typed batches', () => {
  const open = async (changes: Partial<Backend> = {}): Promise<void> => {
    await openWindow('sandbox', 'settings', changes);
    await fireEvent.click(await there('settings-add-typed'));
    await there('typed-row');
  };

  test('what is wrong is said by batch and field, and nothing is kept', async () => {
    const kept = vi.fn(recordedBackend('sandbox').keepBatches);
    await open({ keepBatches: kept });
    await type(byTestId(page(), 'typed-granted_credits'), '1e3');
    await fireEvent.click(byTestId(page(), 'typed-save'));
    expect(textOf(await there('typed-faults'))).toContain('Batch 1, credits: “1e3” is no amount');
    expect(byTestId(page(), 'typed-granted_credits').getAttribute('aria-invalid')).toBe('true');
    expect(kept).not.toHaveBeenCalled();
    expect(await faults(page())).toEqual([]);
  });

  test('they are kept as an account', async () => {
    const kept = vi.fn(recordedBackend('sandbox').keepBatches);
    await open({ keepBatches: kept });
    await type(byTestId(page(), 'typed-name'), 'Old provider');
    await type(byTestId(page(), 'typed-granted_credits'), '6400');
    await type(byTestId(page(), 'typed-added'), '2026-11-01');
    await fireEvent.click(byTestId(page(), 'typed-save'));
    await vi.waitFor(() => expect(kept).toHaveBeenCalled());
    expect(kept.mock.calls[0]?.slice(0, 2)).toEqual([null, 'Old provider']);
    expect(kept.mock.calls[0]?.[2]).toEqual([{ note: '', granted_credits: '6400', left_credits: '', added: '2026-11-01', expires: '' }]);
  });

  const choose = async (table: string): Promise<void> => {
    const input = byTestId(page(), 'typed-file');
    Object.defineProperty(input, 'files', { value: [new File([table], 'batches.csv', { type: 'text/csv' })], configurable: true });
    await fireEvent.change(input);
  };

  test('a bad file leaves what was typed, a good one is added to it', async () => {
    await open();
    await type(byTestId(page(), 'typed-granted_credits'), '6400');
    await choose('credits,added\n100,2026-11-01\nmany,2026-11-02\n');
    expect(textOf(await there('typed-faults'))).toContain('Line 3, credits: “many” is no amount');
    expect(allOf(page(), 'typed-row')).toHaveLength(1);
    await choose('credits,added\n100,2026-11-01\n200,2026-11-02\n');
    await vi.waitFor(() => expect(allOf(page(), 'typed-row')).toHaveLength(3));
    expect(allOf(page(), 'typed-granted_credits').map((one) => (one as HTMLInputElement).value)).toEqual(['6400', '100', '200']);
    expect(missing(page(), 'typed-faults')).toBe(true);
  });

  test('a fault of a file names the line, one of a typed batch the batch', () => {
    const fault = { line: 7, field: 'expires', fault: 'missing', given: '' } as const;
    expect([faultWords(fault, true), faultWords(fault, false)]).toEqual(['Line 7, ends: nothing is given.', 'Batch 7, ends: nothing is given.']);
  });
});

describe('everything on this computer', () => {
  test('is exported into a file', async () => {
    await openWindow('sandbox', 'settings');
    await fireEvent.click(await there('export-everything'));
    expect(textOf(await there('saved-path'))).toContain('aispace-export-2026-11-20.json');
  });

  test('is deleted only after the word, leaves the wallet unless that is confirmed, and says so', async () => {
    const deleted = vi.fn(recordedBackend('sandbox').deleteEverything);
    await openWindow('sandbox', 'settings', { deleteEverything: deleted });
    await fireEvent.click(await there('delete-everything'));
    const submit = await there('delete-submit');
    expect((submit as HTMLButtonElement).disabled).toBe(true);
    expect(await faults(page())).toEqual([]);
    await type(byTestId(page(), 'delete-word'), 'Delete');
    await fireEvent.click(byTestId(page(), 'delete-wallet'));
    await vi.waitFor(() => expect((submit as HTMLButtonElement).disabled).toBe(true));
    await fireEvent.click(byTestId(page(), 'delete-wallet'));
    await fireEvent.click(submit);
    expect(textOf(await there('deleted'))).toContain('was left where it is');
    expect(deleted).toHaveBeenCalledWith('delete', null);
    await fireEvent.click(byTestId(page(), 'deleted-close'));
    await vi.waitFor(() => expect(route.current).toBe('onboarding'));
  });
});
