import { figure } from './figures';
import { expect, id, test } from './stage';

test('by keyboard: the palette leads to a screen, gives the focus back when put away, and prices a run', async ({ stage }) => {
  await stage.open('sandbox', 'overview');
  await stage.tabTo(id('nav-batches'));
  await stage.press('Control+k');
  await stage.hasCaret(id('palette-input'));
  await stage.passesAxe();
  await stage.press('Escape');
  await stage.gone(id('palette'));
  await stage.hasFocus(id('nav-batches'));

  await stage.press('Control+k');
  await stage.hasCaret(id('palette-input'));
  await stage.type('usage');
  await stage.says(() => stage.attribute('#palette-list [aria-selected="true"]', 'data-testid')).toBe('palette-go-usage');
  await stage.press('Enter');
  await stage.gone(id('palette'));
  await stage.isAt('usage');

  await stage.press('Control+k');
  await stage.hasCaret(id('palette-input'));
  await stage.type('sora 8');
  const offered = '#palette-list [aria-selected="true"] .pal__right strong';
  await stage.says(() => stage.count(offered)).toBe(1);
  await stage.says(() => stage.text('#palette-list [aria-selected="true"]')).toMatch(/8 s/u);
  const price = figure(await stage.text(offered));
  await stage.press('Enter');
  await stage.isAt('estimate');
  await stage.says(async () => figure(await stage.text(id('estimate-total')))).toBe(price);
  expect(await stage.text('.bench__title h2')).toMatch(/sora/iu);
});

test('the palette is found by the mouse too', async ({ stage }) => {
  await stage.open('sandbox', 'overview');
  await stage.click(id('find'));
  await stage.hasCaret(id('palette-input'));
  await stage.type('batches');
  await stage.click(id('palette-go-batches'));
  await stage.isAt('batches');
});

test('by keyboard: ? lists the keys, and Esc gives the focus back', async ({ stage }) => {
  await stage.open('sandbox', 'overview');
  await stage.tabTo(id('nav-usage'));
  await stage.press('?');
  await stage.there(id('shortcuts'));
  await stage.hasFocus('[role="dialog"] *');
  // What the list says of a key is what the key does.
  const keys = await stage.texts(`${id('shortcuts')} dd`);
  expect(keys).toContain('Ctrl K');
  await stage.passesAxe();
  await stage.press('Escape');
  await stage.gone(id('shortcuts'));
  await stage.hasFocus(id('nav-usage'));
  await stage.press('3');
  await stage.isAt('estimate');
});
