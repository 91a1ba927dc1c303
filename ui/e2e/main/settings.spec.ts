import { MASK } from './figures';
import { expect, id, labelOf, test, type Screen, type Stage } from './stage';

const lightness = (stage: Stage): Promise<number> =>
  stage.run(() => {
    const paint = document.createElement('canvas').getContext('2d');
    if (paint === null) throw new Error('nothing to paint on');
    paint.fillStyle = getComputedStyle(document.body).backgroundColor;
    paint.fillRect(0, 0, 1, 1);
    const [red = 0, green = 0, blue = 0] = paint.getImageData(0, 0, 1, 1).data;
    return red + green + blue;
  }, null);

test('the language becomes Chinese everywhere, and is given back', async ({ stage }) => {
  await stage.open('sandbox', 'settings');
  const own = await stage.run(() => document.querySelector<HTMLInputElement>('[name="language"]:checked')?.value ?? '', null);
  const words = async (): Promise<string[]> => [...(await stage.texts('.nav__item')), await stage.text('h1')];
  const english = await words();
  await stage.click(id('language-zh-Hans'));
  await stage.says(() => stage.attribute('html', 'lang')).toBe('zh-Hans');
  await stage.says(async () => (await words()).filter((one) => !/\p{Script=Han}/u.test(one))).toEqual([]);
  await stage.passesAxe();
  for (const screen of ['overview', 'batches', 'estimate', 'buy', 'usage'] as const) {
    await stage.go(screen);
    // A model keeps its name, and a rate is the same in every language.
    const heads = 'main :is(h2, th[scope="col"], legend, .label):not(.bench__title *)';
    await stage.says(async () => (await stage.texts(heads)).length).toBeGreaterThan(3);
    expect((await stage.texts(heads)).filter((one) => /\p{L}/u.test(one) && !/\p{Script=Han}|\d/u.test(one)), screen).toEqual([]);
  }
  await stage.go('settings');
  await stage.click(id(`language-${own}`));
  await stage.says(() => stage.attribute('html', 'lang')).toBe('en');
  await stage.says(words).toEqual(english);
});

test('the dark theme is dark on every screen, and passes axe there', async ({ stage }) => {
  await stage.open('sandbox', 'settings');
  const own = await stage.run(() => document.querySelector<HTMLInputElement>('[name="theme"]:checked')?.value ?? '', null);
  await stage.click(id('settings-theme-light'));
  await stage.says(() => stage.attribute('html', 'data-theme')).toBe('light');
  const light = await lightness(stage);
  await stage.click(id('settings-theme-dark'));
  await stage.says(() => stage.attribute('html', 'data-theme')).toBe('dark');
  await stage.says(() => lightness(stage)).toBeLessThan(light / 3);
  await stage.passesAxe();
  for (const screen of ['overview', 'batches', 'estimate', 'buy', 'usage'] as const) {
    await stage.go(screen);
    await stage.passesAxe();
  }
  await stage.go('settings');
  await stage.click(id(`settings-theme-${own}`));
  await stage.says(() => stage.isOn(`settings-theme-${own}"] [name="theme`)).toBe(true);
});

/** Where amounts stand. */
const AMOUNTS: [Screen, string][] = [
  ['overview', `${id('balance')}, .departure__what .figure`],
  ['batches', '.batches td.left .strong, .toolbar .facts dd:first-of-type'],
  ['estimate', `${id('estimate-total')}, ${id('estimate-lines')} tfoot td, ${id('estimate-draw')} td.n, .model__price`],
  ['usage', `${id('usage-used')}, ${id('usage-total')}, .usage td.n .strong`],
  ['settings', '.account-card__sum strong'],
];

test('amounts are masked everywhere, all alike, and shown again', async ({ stage }) => {
  await stage.open('sandbox', 'settings');
  const before = new Map<string, string[]>();
  for (const [screen, selector] of AMOUNTS) {
    await stage.go(screen);
    await stage.says(async () => (await stage.texts(selector)).filter((one) => /\d/u.test(one)).length).toBeGreaterThan(0);
    before.set(screen, (await stage.texts(selector)).filter((one) => /\d/u.test(one)));
  }
  await stage.click(labelOf('settings-hide-amounts'));
  await stage.says(() => stage.attribute(id('hide-amounts'), 'aria-pressed')).toBe('true');
  for (const [screen, selector] of AMOUNTS) {
    await stage.go(screen);
    await stage.says(async () => (await stage.texts(selector)).some((one) => one.includes(MASK))).toBe(true);
    expect((await stage.texts(selector)).filter((one) => /\d{2}/u.test(one)), `amounts on ${screen}`).toEqual([]);
    // No longer and no shorter: nothing tells how long an amount is.
    const masks = (await stage.text('main')).match(/\u2022+/gu) ?? [];
    const keys = screen === 'settings' ? ['\u2022\u2022\u2022\u2022'] : [];
    // Not even in a sentence or a drawing; elsewhere tokens are counted as well.
    if (screen === 'batches') expect(await stage.text('main')).not.toMatch(/\d,\d{3}/u);
    // Two may stand side by side.
    expect(masks.filter((one) => one.length % MASK.length !== 0 && !keys.includes(one)), `masks on ${screen}`).toEqual([]);
  }
  await stage.go('batches');
  await stage.passesAxe();
  const widths = await stage.run(() => [...document.querySelectorAll('.batches td.left .strong')].map((one) => Math.round(one.getBoundingClientRect().width)), null);
  expect(new Set(widths).size).toBe(1);
  await stage.press('Control+h');
  await stage.says(() => stage.attribute(id('hide-amounts'), 'aria-pressed')).toBe('false');
  for (const [screen, selector] of AMOUNTS) {
    await stage.go(screen);
    await stage.says(async () => (await stage.texts(selector)).filter((one) => /\d/u.test(one))).toEqual(before.get(screen));
  }
});

test('by keyboard: an account is given a name, keeps it when the dialog is put away, and loses it again', async ({ stage }) => {
  await stage.open('sandbox', 'settings');
  const name = '.rail .account__name';
  const own = await stage.text(name);
  await stage.tabTo(id('rename'));
  await stage.press('Enter');
  await stage.hasCaret(id('label-input'));
  await stage.passesAxe();
  await stage.retype('A name that is longer than forty characters');
  await stage.press('Enter');
  await stage.says(() => stage.attribute(id('error-banner'), 'data-code')).toBe('label_refused');
  expect(await stage.text(name)).toBe(own);
  await stage.retype('Studio East');
  await stage.press('Enter');
  await stage.gone(id('label-input'));
  await stage.says(() => stage.text(name)).toBe('Studio East');
  expect(await stage.text('.account-card__name strong')).toBe('Studio East');
  await stage.hasFocus(id('rename'));
  await stage.press('Enter');
  await stage.hasCaret(id('label-input'));
  await stage.retype('Another');
  await stage.press('Escape');
  await stage.gone(id('label-input'));
  expect(await stage.text(name)).toBe('Studio East');
  await stage.press('Enter');
  await stage.hasCaret(id('label-input'));
  await stage.retype('');
  await stage.press('Enter');
  await stage.gone(id('label-input'));
  await stage.says(() => stage.text(name)).toBe(own);
});
