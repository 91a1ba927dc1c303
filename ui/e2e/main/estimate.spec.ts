import { figure, sum } from './figures';
import { expect, id, test, type Stage } from './stage';

const TOTAL = id('estimate-total');
const ROW = id('kept-row');
const total = async (stage: Stage): Promise<bigint> => figure(await stage.text(TOTAL));

/** Opens a model by its search, with the mouse. */
async function pick(stage: Stage, words: string, model: string): Promise<void> {
  await stage.fill(id('model-search'), words);
  await stage.click(id(`model-row-${model}`));
  await stage.says(() => stage.attribute(id(`model-row-${model}`), 'aria-selected')).toBe('true');
  await stage.says(() => stage.text('.bench__title .code')).toBe(model);
}

test('the total follows every keystroke, its lines come to it, and the batches give it', async ({ stage }) => {
  await stage.open('sandbox', 'overview');
  const balance = figure(await stage.text(id('balance')));
  await stage.go('estimate');
  await stage.click(id('kind-chat'));
  await stage.says(() => stage.attribute(id('kind-chat'), 'aria-selected')).toBe('true');
  await pick(stage, 'qwen 235', 'qwen3-235b');
  await stage.there(TOTAL);

  await stage.fill(id('count-input_tokens'), '4');
  await stage.says(() => stage.value(id('count-input_tokens'))).toBe('4');
  let before = await total(stage);
  for (const digit of '200000') {
    await stage.type(digit);
    await stage.says(() => total(stage)).toBeGreaterThan(before);
    before = await total(stage);
  }
  expect(await stage.value(id('count-input_tokens'))).toBe('4200000');
  const lines = id('estimate-lines');
  await stage.says(async () => figure(await stage.text(`${lines} tfoot td`))).toBe(before);
  expect(sum(await stage.texts(`${lines} tbody td:last-child`))).toBe(before);
  expect((await stage.texts(`${lines} tbody tr`)).length).toBeGreaterThan(1);

  const draw = id('estimate-draw');
  const taken = (await stage.texts(`${draw} tbody .is-drawn td:nth-child(3)`)).filter((one) => one !== '');
  expect(sum(taken)).toBe(before);
  expect(figure(await stage.text(`${draw} tfoot td`))).toBe(balance - before);
  await stage.passesAxe();

  // Twice the runs are twice the credits.
  await stage.fill(id('count-runs'), '2');
  await stage.says(() => total(stage)).toBe(before * 2n);
  // What is no count is said at its field, and the last total is not taken for its own.
  await stage.fill(id('count-runs'), 'x');
  await stage.says(() => stage.attribute(id('count-runs'), 'aria-invalid')).toBe('true');
  await stage.there('#fault-runs');
  await stage.says(() => stage.attribute('.total', 'aria-busy')).toBe('true');
  await stage.fill(id('count-runs'), '1');
  await stage.says(() => total(stage)).toBe(before);
});

test('the picker searches every kind of work and says when it finds nothing', async ({ stage }) => {
  await stage.open('sandbox', 'estimate');
  await stage.click(id('kind-image'));
  const all = await stage.count('.models [role="option"]');
  await stage.fill(id('model-search'), 'upscale');
  await stage.says(() => stage.count('.models [role="option"]')).toBeLessThan(all);
  expect((await stage.texts('.models [role="option"] .strong')).filter((name) => !/upscale/iu.test(name))).toEqual([]);
  await stage.retype('kokoro');
  await stage.there(id('model-row-tts-kokoro'));
  await stage.click(id('model-row-tts-kokoro'));
  await stage.says(() => stage.attribute(id('kind-audio'), 'aria-selected')).toBe('true');
  await stage.fill(id('model-search'), 'no model is called so');
  await stage.there('.picker__none');
  await stage.passesAxe();
  await stage.click('.picker__none button');
  await stage.there('.models [role="option"]');
});

test('models are compared at the same job, sorted by their price, and another one is taken from there', async ({ stage }) => {
  await stage.open('sandbox', 'estimate');
  await stage.click(id('kind-chat'));
  await pick(stage, 'qwen 235', 'qwen3-235b');
  const own = await total(stage);
  await stage.click(id('compare'));
  const row = id('compared');
  await stage.there(row);
  const cells = `${row} td:nth-child(2)`;
  const costs = (await stage.texts(cells)).map(figure);
  expect(costs.length).toBeGreaterThan(3);
  expect(costs).toEqual([...costs].sort((one, other) => (one < other ? -1 : one > other ? 1 : 0)));
  expect(figure(await stage.text(`${row}.is-chosen td:nth-child(2)`))).toBe(own);
  await stage.passesAxe();
  await stage.click(id('sort-cost'));
  await stage.says(async () => (await stage.texts(cells)).map(figure)).toEqual([...costs].sort((one, other) => (one < other ? 1 : one > other ? -1 : 0)));
  const [name, dearest] = [(await stage.text(`${row} .linklike`)), costs.at(-1)];
  await stage.click(`${row} .linklike`);
  await stage.gone(id('comparison'));
  await stage.says(() => stage.text('.bench__title h2')).toBe(name);
  await stage.says(() => total(stage)).toBe(dearest);
});

test('an estimate is kept, its charge is picked and given back, and it is forgotten', async ({ stage }) => {
  await stage.open('sandbox', 'estimate');
  const before = await stage.count(ROW);
  await stage.click(id('kind-image'));
  await pick(stage, 'upscale', 'image-upscale-4x');
  const name = await stage.text('.bench__title h2');
  await stage.fill(id('count-images'), '1');
  await stage.fill(id('count-runs'), '2');
  const newest = `${ROW}:first-child`;
  const expected = await total(stage);
  await stage.click(id('keep-estimate'));
  await stage.says(() => stage.count(ROW)).toBe(Math.min(5, before + 1));
  expect(await stage.text(`${newest} .linklike`)).toBe(name);
  expect(figure(await stage.text(`${newest} td:nth-child(2)`))).toBe(expected);
  expect(await stage.text(`${newest} ${id('kept-error')}`)).toBe('');
  await stage.passesAxe();

  // A run of the same model is charged. Its own estimate is kept beside it, and forgotten: the charge may then be of the other.
  await stage.fill(id('count-runs'), '1');
  await stage.says(() => total(stage)).toBe(expected / 2n);
  await stage.click(id('simulate-run'));
  await stage.there(id('simulated'));
  expect(figure(await stage.text(id('simulated')))).toBe(expected / 2n);
  await stage.says(async () => figure(await stage.text(`${newest} td:nth-child(3)`))).toBe(expected / 2n);
  await stage.click(`${newest} ${id('kept-forget')}`);
  const pickCharge = `${newest} ${id('kept-pick')}`;
  await stage.click(pickCharge);
  await stage.there(id('kept-choice'));
  expect(figure(await stage.text(`${id('kept-choice')} .model__price`))).toBe(expected / 2n);
  await stage.passesAxe();
  await stage.click(id('kept-choice'));
  await stage.gone(id('kept-choice'));
  await stage.says(async () => figure(await stage.text(`${newest} td:nth-child(3)`))).toBe(expected / 2n);
  // Half of what two runs were to take.
  expect(await stage.text(`${newest} ${id('kept-error')}`)).toMatch(/^\u221250 ?%/u);
  await stage.click(`${newest} ${id('kept-reject')}`);
  await stage.there(`${newest} ${id('kept-undo')}`);
  expect(await stage.text(`${newest} ${id('kept-error')}`)).toBe('');
  await stage.click(`${newest} ${id('kept-undo')}`);
  await stage.says(() => stage.text(`${newest} ${id('kept-error')}`)).toMatch(/^\u221250 ?%/u);

  // Its name opens the run that it was of.
  await stage.click(id('kind-chat'));
  await stage.click(`${newest} .linklike`);
  await stage.says(() => stage.text('.bench__title h2')).toBe(name);
  expect(await stage.value(id('count-runs'))).toBe('2');
  await stage.click(`${newest} ${id('kept-forget')}`);
  await stage.says(() => stage.count(pickCharge)).toBe(0);
  await stage.says(() => stage.count(ROW)).toBe(before);
});

test('by keyboard: a run is found, made longer, kept and forgotten', async ({ stage }) => {
  await stage.open('sandbox', 'overview');
  await stage.press('e');
  await stage.isAt('estimate');
  const before = await stage.count(ROW);
  await stage.tabTo('[role="tab"][aria-selected="true"]');
  await stage.press('Home');
  await stage.hasFocus(id('kind-chat'));
  await stage.press('/');
  await stage.hasCaret(id('model-search'));
  await stage.type('qwen');
  await stage.tabTo('.models');
  await stage.press('Home');
  const model = (): Promise<string> => stage.text('.bench__title .code');
  await stage.says(model).toMatch(/qwen/u);
  const first = await model();
  await stage.press('ArrowDown');
  await stage.says(model).not.toBe(first);
  expect(await model()).toMatch(/qwen/u);
  await stage.tabTo(id('count-output_tokens'));
  await stage.retype('1000');
  const short = await total(stage);
  await stage.type('0');
  await stage.says(() => total(stage)).toBeGreaterThan(short);
  const expected = await total(stage);
  await stage.tabTo(id('keep-estimate'));
  await stage.press('Enter');
  await stage.says(async () => (await stage.count(ROW)) > before || before === 5).toBe(true);
  await stage.says(async () => figure(await stage.text(`${ROW}:first-child td:nth-child(2)`))).toBe(expected);
  const kept = await stage.count(ROW);
  await stage.tabTo(`${ROW}:first-child ${id('kept-forget')}`);
  await stage.press('Space');
  await stage.says(async () => (await stage.count(ROW)) < kept || before === 5).toBe(true);
  await stage.says(async () => (await stage.count(`${ROW}:first-child`)) === 0 || figure(await stage.text(`${ROW}:first-child td:nth-child(2)`)) !== expected).toBe(true);
});
